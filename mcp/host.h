/*
 * A served scope, seen from a transport: its view, the worker in its sandbox that speaks the Model
 * Context Protocol, and the commands that the worker has run. A transport carries bytes between
 * clients and a host and understands none of them; see README.md in this folder.
 *
 * All functions may be called from any thread, except where it says otherwise.
 */
#ifndef SCOPEFS_MCP_HOST_H
#define SCOPEFS_MCP_HOST_H

#include "frame.h"
#include "scopefs/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;
struct client;

/* Brings up the scope of that name from the configuration file: mounts a view of its own unless the
 * scope's is mounted, and starts the worker. Returns when the worker is ready, or NULL with *error
 * set. It forks; not to be called by two threads at once. */
struct host *host_open(const char *config_file, const char *scope_name, struct error **error);

/* Whether the worker still runs. A dead host is to be closed and may be opened anew. */
bool host_is_alive(struct host *host);

/* Ends the worker and all commands, and takes the view away if it was mounted for this. All its
 * clients must be closed. 0, or -1 with *error set when something stayed behind. */
int host_close(struct host *host, struct error **error);

/* What comes for a client. */
struct outgoing {
    uint64_t exchange; /* the incoming message that it belongs to; 0: to none */
    const char
        *bytes;     /* one JSON-RPC message, or a batch, without a newline; valid during the call */
    size_t length;  /* 0: no message, the exchange only ended */
    bool is_last;   /* nothing more comes for the exchange */
    bool is_answer; /* the response, or the batch of responses, to what came in */
    enum answer_kind { ANSWER_USUAL, ANSWER_BEGINS, ANSWER_REFUSES, ANSWER_NO_METHOD } kind;
    bool is_gone; /* the worker died: nothing comes any more for any exchange */
};

/* What HTTP says beside a message, and the worker checks against it; NULL: the header is not there.
 */
struct mirrored {
    const char *version, *method, *name;
};

/* Is called by the host's own thread, for one client after the other: it must not wait for a client
 * that does not read, and must not call client_close. */
typedef void message_sink(void *context, const struct outgoing *outgoing);

/* A new session of the protocol, which begins with the client's `initialize`. NULL when the worker
 * is dead. */
struct client *client_open(struct host *host, message_sink *sink, void *context);

/* Hands in one message, or batch. `exchange` is a number of the caller's choosing, not 0 and not in
 * use by this client. Something with is_last follows for each exchange, unless the host dies; for
 * notifications and responses it follows without a message. A message over MESSAGE_LIMIT is
 * answered by an error; its bytes are not looked at and may be NULL. `mirrored` is NULL where the
 * transport is not HTTP. Waits while the worker takes nothing, at most a minute. */
void client_receive(struct client *client, uint64_t exchange, const struct mirrored *mirrored,
                    const char *bytes, size_t length);

/* Cancels what the exchange has asked for: it ends without an answer. */
void client_cancel(struct client *client, uint64_t exchange);

/* Ends the session, with its commands. The sink is not called any more when it returns. */
void client_close(struct client *client);

#endif
