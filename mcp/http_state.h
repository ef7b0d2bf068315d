/*
 * What the parts of the HTTP server share. Private to http_*.c.
 *
 * One thread, the loop, runs libmicrohttpd and all that it calls. Each scope that is up has a
 * thread of its own, the feeder, which opens the host, gives it what came, and closes it: a worker
 * that takes nothing holds up its own scope only. What comes from a worker is put down by its
 * host's thread, and the loop is woken. `http.lock` guards what says so, is held shortly, and never
 * while the host is called; a sink takes it under the host's own lock.
 */
#ifndef SCOPEFS_MCP_HTTP_STATE_H
#define SCOPEFS_MCP_HTTP_STATE_H

#include "host.h"
#include "http.h"
#include "scopefs/config.h"
#include "scopefs/strbuf.h"
#include "tokens.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SESSION_ID_BYTES 24
#define SESSION_ID_ROOM  (2 * SESSION_ID_BYTES + 1)

/* Revisions from this one on have no sessions; their names are dates. */
#define FIRST_STATELESS "2026-07-28"
/* Clients of this one on know an event without data. */
#define FIRST_PRIMED "2025-11-25"

enum http_limits {
    CONNECTIONS_AT_MOST = 512,
    CONNECTION_MEMORY = 16 << 10, /* what the headers of a request take must fit in */
    STRANGER_PATIENCE_MS = 10000, /* for a connection without a token to bring one */
    REQUEST_PATIENCE_MS = 120000, /* from one request to the end of the next one */
    ANSWER_PATIENCE_S = 60,       /* for a client that does not read */
    EVENTS_AFTER_MS = 1000,       /* then an answer is an event stream, which can be resumed */
    KEEP_ALIVE_MS = 15000,        /* between bytes on a stream */
    EXCHANGES_AT_MOST = 64,       /* of a scope, at a time */
    HELD_AT_MOST = 64 << 20,      /* bytes of messages of a scope */
    KEPT_AT_MOST = 512 << 10,     /* bytes of events of a session, to be had again */
    KEPT_EVENTS_AT_MOST = 256,
    DESCRIPTORS_OF_SCOPE = 300, /* four for each command, and its own */
    RETRY_AFTER_S = 1,
};

/* --- A session and what it has to send --- */

struct event {
    struct event *next;
    uint64_t stream, number;
    size_t length;
    bool is_last; /* of its stream */
    char text[];
};

/* An exchange, or (is_standing) what a client gets by GET. Lives as long as its session or its
 * request needs it. All under the lock. */
struct stream {
    struct stream *next;
    struct http_session *session; /* NULL: it has ended */
    struct request *request;      /* that it is sent on by; NULL: its client is gone */
    uint64_t number;
    bool is_standing;
    bool has_events; /* it is an event stream; else it may still become one */
    bool has_ids;    /* events are kept, and can be had again */
    bool is_primed;  /* the client knows an event without data */
    bool is_done;    /* nothing more comes */
    uint64_t last_event, last_dropped;
    uint64_t began_ms;
    enum answer_kind kind;
    struct strbuf answer; /* of one that is no event stream */
    bool has_answer;
};

struct http_session {
    struct http_session *next; /* of its scope */
    struct served *served;
    char id[SESSION_ID_ROOM]; /* "": of all requests without a session of its principal */
    struct principal principal;
    struct client *client;     /* the feeder's */
    bool has_begun, is_closed; /* by an answer to `initialize`; as what follows, under the lock */
    struct stream *streams;
    struct event *first_event, **last_event;
    size_t kept_bytes, kept_count;
    uint64_t used_ms;
};

/* --- A scope that is up --- */

enum task_kind { TASK_OPEN, TASK_RECEIVE, TASK_CANCEL, TASK_CLOSE };

struct task {
    struct task *next;
    enum task_kind kind;
    struct http_session *session;
    uint64_t exchange;
    bool is_too_large;
    char *version, *method, *name; /* what HTTP says, see struct mirrored */
    struct strbuf body;
};

struct served {
    struct served *next;
    struct http *http;
    char name[SCOPE_NAME_ROOM];
    pthread_t feeder;
    pthread_cond_t changed; /* of what follows, which is under the lock */
    struct task *first_task, **last_task;
    struct http_session *sessions;
    size_t session_count, running, held;
    size_t users; /* requests that point here */
    uint64_t used_ms;
    bool is_failed;  /* it could not be brought up, or its worker is gone */
    bool is_leaving; /* nothing new comes */
    bool is_over;    /* its thread has ended */
};

/* --- A connection and its request, both the loop's --- */

struct connection {
    struct connection *next;
    struct http *http;
    int fd;
    bool is_owner; /* on a socket with a path: the user who serves, or root */
    bool is_known; /* a request had a token that is good, or needed none */
    bool has_hung_up;
    struct principal principal;
    struct request *request;
    uint64_t idle_since_ms; /* since the last request ended */
};

struct request {
    struct http *http;
    struct connection *connection;
    struct MHD_Connection *mhd;
    bool is_suspended;
    bool is_gone; /* the client has hung up */
    enum { PAGE_NONE, PAGE_HEALTH, PAGE_METRICS } page;
    struct principal principal;
    struct served *served; /* or NULL */
    size_t held;           /* bytes that it counts there */
    char session_id[SESSION_ID_ROOM];
    bool is_stateless;
    bool is_primed;    /* see struct stream */
    bool is_complete;  /* it was read to its end */
    bool is_submitted; /* to the feeder, or a stream is resumed */
    struct refusal {
        unsigned status; /* 0: it is not refused */
        const char *message;
    } refusal;
    char *version, *method, *name, *resumed; /* of headers; NULL: not there */
    struct strbuf body;
    size_t body_size;           /* also of what was dropped */
    struct stream *stream;      /* lock */
    uint64_t next_event;        /* of the stream; lock */
    size_t offset;              /* into it; lock */
    uint64_t sent_ms;           /* when something was last sent on a stream */
    bool is_ready;              /* lock: to be resumed */
    struct request *next_ready; /* lock */
};

struct counters {
    unsigned long long requests, refused, unauthorized, busy, messages, sessions, scopes;
};

struct http {
    const struct http_settings *settings;
    struct tokens *tokens; /* the loop's; NULL: none are needed */
    struct MHD_Daemon *daemon;
    int signals, wake, hangups; /* signalfd, eventfd, epoll */
    struct connection *connections;
    size_t connection_count;
    bool is_ending;
    uint64_t end_at_ms;
    uint64_t started_ms;
    struct counters counters;
    pthread_mutex_t opening; /* around host_open. Taken alone */
    pthread_mutex_t lock;
    struct served *scopes;  /* lock */
    struct request *ready;  /* lock */
    uint64_t last_exchange; /* lock */
    bool is_woken;          /* lock */
};

uint64_t http_now_ms(void);

/* Has the loop look after what has changed. Under the lock. */
void http_wake(struct http *http);

/* Has the loop go on with the stream's request, if it has one. Under the lock. */
void stream_wake(struct stream *stream);

/* --- http_scope.c; under the lock --- */

/* The scope of that name, which is brought up if need be. NULL when there are too many, with errno
 * EBUSY, or when no thread can be had. */
struct served *served_get(struct http *http, const char *name);

/* Gives the feeder something to do; takes over what the task points to. */
void served_add(struct served *served, const struct task *task);

/* Has the scope go: its sessions end. */
void served_leave(struct served *served);

/* Takes a reference away; without the lock. */
void served_release(struct request *request);

/* Frees what is over and ends what is idle. */
void served_sweep(struct http *http, uint64_t now_ms);

/* --- http_session.c; under the lock --- */

/* The session that a request names, or NULL. */
struct http_session *session_find(struct served *served, const char *id,
                                  const struct principal *principal);

/* A new one; `id` is made unless it is the one for requests without a session. NULL when there are
 * too many. */
struct http_session *session_new(struct served *served, const struct principal *principal,
                                 bool is_stateless);

/* Ends the session and what it has to send. */
void session_end(struct http_session *session);

/* What the host calls. */
void session_take(void *context, const struct outgoing *outgoing);

/* --- http_stream.c; under the lock --- */

struct stream *stream_new(struct http_session *session, struct request *request);
struct stream *stream_find(struct http_session *session, uint64_t number);

/* Makes an event stream of it. */
void stream_begin_events(struct stream *stream);
void stream_add_event(struct stream *stream, const char *bytes, size_t length, bool is_last);
void stream_drop_events(struct http_session *session);
void event_drop(struct http_session *session, struct event *event);

/* The event of that number, or NULL: it is not there yet, or not any more. */
const struct event *stream_event(const struct stream *stream, uint64_t number);

/* All of the event was given to libmicrohttpd. */
void stream_sent(struct stream *stream, const struct event *event);

/* Takes its request away: it goes on for who resumes it, or ends. */
void stream_detach(struct stream *stream);
void stream_free(struct stream *stream);

/* --- http_answer.c: what is sent; by the loop, without the lock --- */

/* What it is refused with, as a message of JSON-RPC that belongs to no request. */
enum MHD_Result answer_refusal(struct request *request);
/* Takes the text over. */
enum MHD_Result answer_text(struct request *request, unsigned status, const char *type,
                            struct strbuf *text);
/* What the request's stream has by now; it waits when there is nothing. */
enum MHD_Result answer_stream(struct request *request);

/* --- http_request.c --- */

enum MHD_Result request_handle(void *context, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **own);
void request_end(void *context, struct MHD_Connection *mhd, void **own,
                 enum MHD_RequestTerminationCode code);

/* Refuses the request: notes why, and returns false. */
bool request_refuse(struct request *request, unsigned status, const char *message);

/* --- http_check.c: whether a request may be what it wants to be --- */

/* Who asks, where from, and for what. False when it was refused. */
bool request_check(struct request *request, const char *url, const char *method);

/* --- http_exchange.c: what is done with one that may; false when it was refused --- */

/* Has the worker get the message of a POST. */
bool request_submit(struct request *request);
/* Begins, or resumes, the stream of a GET. */
bool request_listen(struct request *request);
/* Ends the session of a DELETE. */
bool request_end_session(struct request *request);

/* --- http_connection.c --- */

void connection_notify(void *context, struct MHD_Connection *mhd, void **own,
                       enum MHD_ConnectionNotificationCode code);
/* Ends those that are too slow, and keeps streams alive. */
void connections_sweep(struct http *http, uint64_t now_ms);
void connections_take_hangups(struct http *http);
/* Whether the connection may have one more with this principal, whose it becomes. */
bool connection_admit(struct connection *connection, const struct principal *principal);

/* --- http_metrics.c --- */

void metrics_write(struct http *http, struct strbuf *text);

#endif
