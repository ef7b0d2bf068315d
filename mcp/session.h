/* What a server knows of its clients. Private to the server's own files. */
#ifndef SCOPEFS_MCP_SESSION_H
#define SCOPEFS_MCP_SESSION_H

#include "headers.h"
#include "pool.h"
#include "server.h"

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

struct call;
struct question;
struct job;

struct server {
    struct server_settings settings;
    struct pool *pool;
    /* Guards what follows, and what says so below. Nothing is sent while it is held. */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a call was cancelled, a question answered, a job went on */
    struct session *sessions;
    struct job *jobs;
    uint32_t last_job;
    size_t running; /* calls */
};

/* What a revision of the protocol has. */
enum feature {
    FEATURE_BATCH = 1,       /* several messages in one */
    FEATURE_ANNOTATIONS = 2, /* tools say what they do; progress has a message */
    FEATURE_STRUCTURED = 4,  /* results beside text, with a schema; titles */
    FEATURE_ELICITATION = 8, /* the user can be asked */
    FEATURE_STATELESS = 16,  /* each request says who asks and what it can; there is no handshake */
};

struct revision {
    const char *name;
    unsigned features;
};

/* Of a file when its contents were last given to the client, or written for it. */
struct stamp {
    struct stamp *next;
    char *path;
    unsigned long long inode, size;
    long long changed_s, changed_ns;
};

struct session {
    struct session *next;
    struct server *server;
    uint32_t number;
    struct headers headers; /* of the message that comes next; the reading thread's */
    /* Guarded by the server's lock: */
    const struct revision *revision; /* NULL before `initialize` */
    bool can_be_asked;
    int log_level; /* of enum log_severity; nothing below it is told */
    struct call *calls;
    struct question *questions;
    unsigned long long last_question;
    struct stamp *stamps;
    json_t *shells; /* an array of names: shells that are kept for the client; NULL: none */
    bool is_closed;
    size_t users; /* calls that run; the last one out frees what is closed */
};

/* As RFC 5424 has them, the other way round. */
enum log_severity {
    SEVERITY_DEBUG,
    SEVERITY_INFO,
    SEVERITY_NOTICE,
    SEVERITY_WARNING,
    SEVERITY_ERROR,
    SEVERITY_CRITICAL,
    SEVERITY_ALERT,
    SEVERITY_EMERGENCY,
    SEVERITY_NOTHING, /* the client did not say that it wants any */
};

extern const char *const log_severity_names[];

/* SEVERITY_NOTHING for what is no name of a level. */
int log_severity_find(const json_t *name);

/* Several messages that came as one, whose answers go back as one. */
struct batch {
    json_t *answers;
    size_t open; /* under the server's lock */
    uint64_t exchange;
};

/* Where an answer goes, and what the request said, or the session before it, of who asks. */
struct return_address {
    struct session *session;
    uint64_t exchange;
    struct batch *batch;             /* or NULL */
    const struct headers *headers;   /* only while it is checked, and only of HTTP */
    const struct revision *revision; /* NULL before `initialize` */
    bool can_be_asked;
    int log_level;
};

/* NULL when there is none of that name. */
const struct revision *revision_find(const char *name);

/* What `initialize` is answered with: the revision of that name if it has that method, else the
 * newest that has it. */
const struct revision *revision_negotiate(const char *name);

/* A new array of the names of all. */
json_t *revision_names(void);

bool address_has(const struct return_address *address, enum feature feature);

/* Sends a message that is no answer and belongs to the exchange, or to none (0). Takes over
 * `message`. */
void session_send(struct session *session, uint64_t exchange, json_t *message);

/* Sends, or adds to its batch, the answer to a request; NULL: there is none. Takes over `message`.
 */
void answer_send(const struct return_address *address, json_t *message);

/* Answers with an error. `id` is borrowed and may be NULL; `data` is taken over and may be NULL. */
void answer_error(const struct return_address *address, json_t *id, int code, json_t *data,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A new answer to a request; takes over `result`. */
json_t *answer_message(json_t *id, json_t *result);

/* The text of a message, which is taken over. New. */
char *message_text(json_t *message);

/* Sends the answer as text of JSON, and not into a batch. */
void answer_send_text(const struct return_address *address, const char *text);

/* Adds what the revision wants in every result. */
void result_finish(const struct return_address *address, json_t *result);

/* What the server says of itself; new. */
json_t *methods_server_info(const struct revision *revision);

/* Answers `initialize`; takes over `result`. */
void answer_beginning(const struct return_address *address, json_t *id, json_t *result);

/* Answers with a result, which is taken over. */
void answer_result(const struct return_address *address, json_t *id, json_t *result);

/* notifications/message, if the client wants such. */
void address_log(const struct return_address *address, enum log_severity severity,
                 const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Frees a closed session that nobody uses. Under the server's lock. */
void session_drop(struct session *session);

enum rpc_error {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_HEADER_MISMATCH = -32020,
    RPC_UNSUPPORTED_VERSION = -32022,
};

/* Whether a client with these capabilities can ask its user. */
bool methods_can_fill_forms(json_t *capabilities);

/* Whether the method may come before `initialize`. */
bool methods_are_first(const char *method);

/* Handles one request. */
void methods_request(const struct return_address *address, const char *method, json_t *id,
                     json_t *params);

void methods_notification(struct session *session, const char *method, json_t *params);

#endif
