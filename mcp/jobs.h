/*
 * Commands that run outside, as the worker sees them: what they printed, and what became of them. A
 * job belongs to the session that started it, and can be read until it is forgotten.
 */
#ifndef SCOPEFS_MCP_JOBS_H
#define SCOPEFS_MCP_JOBS_H

#include "call.h"
#include "job_request.h"

#include <stdbool.h>
#include <stdint.h>

/* Of each stream the last so many bytes are kept, or some more. */
#define JOB_STREAM_LIMIT (1U << 20)

/* What a command printed on one descriptor. */
struct job_stream {
    struct strbuf kept;
    unsigned long long dropped; /* bytes before what is kept */
};

struct job {
    struct job *next;
    uint32_t number;
    struct session *session; /* NULL: closed */
    struct job_stream output, errors;
    char *question; /* what is to be asked; NULL: nothing */
    char *report;   /* see scopefs-exec(1); set: it has ended */
    bool has_started;
    bool is_detached; /* no call waits for it */
};

/* Frames of jobs. */
void jobs_take(struct server *server, const struct frame *frame, const char *bytes);

/* Has the command run. Its number, or 0 with the call failed. */
uint32_t job_start(struct call *call, const struct job_request *request);

/* What job_wait is called with, under the server's lock, whenever something may have changed. */
typedef bool job_condition(const struct job *job, void *context);

/* Waits until the condition is true, the job has ended, or so many seconds are over (below 0:
 * none); asks what is to be asked. False when the call was cancelled or there is no such job of its
 * session. */
bool job_wait(struct call *call, uint32_t number, job_condition *condition, void *context,
              double seconds);

/* Calls `look` with the job under the server's lock. False when this session has none of that
 * number.
 */
bool job_look(struct call *call, uint32_t number, void (*look)(struct job *job, void *context),
              void *context);

/* Ends it: SIGTERM, and a little later SIGKILL. */
void job_kill(struct server *server, uint32_t number);

/* The name of a shell of this client's own, which is ended with its session. New. */
char *job_shell(struct call *call, const char *name);

/* Ends what the session has started. */
void jobs_end_session(struct session *session);

void jobs_free(struct server *server);

#endif
