/*
 * One call of a tool: its checked arguments, its progress and cancellation, and the result that its
 * handler puts together. A handler has the call to itself, on a thread of its own.
 */
#ifndef SCOPEFS_MCP_CALL_H
#define SCOPEFS_MCP_CALL_H

#include "scopefs/strbuf.h"
#include "session.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct tool;

struct call {
    struct call *next; /* of its session; the server's lock */
    struct return_address address;
    const struct tool *tool;
    json_t *id;
    json_t *arguments;      /* checked, by their own names, with what stands for those not given */
    json_t *progress_token; /* or NULL */
    bool is_cancelled;      /* the server's lock */

    json_t *answers;   /* to what it asked when it was made before (stateless revisions), or NULL */
    json_t *questions; /* set: it has to be made again, with the answers to these */

    struct strbuf text; /* the result for people and models */
    json_t *structured; /* the same for programs; an object, or NULL */
    struct strbuf list; /* further members of it, as text of JSON: for what has many parts */
    json_t *more;       /* an array of further contents, or NULL */
    json_t *failure;    /* set: the call failed */
};

/* Starts the call of `params`, or answers that there is no such thing. */
void call_begin(const struct return_address *address, json_t *id, json_t *params);

/* What a thread of the pool does with it: runs the handler, answers, and frees it. */
void call_run(void *call);

/* notifications/cancelled. */
void call_cancel(struct session *session, json_t *id);

/* Cancels what the exchange has begun. */
void call_cancel_exchange(struct session *session, uint64_t exchange);

bool call_is_cancelled(struct call *call);

bool call_has_feature(const struct call *call, enum feature feature);

/* Tells how far it is; `total` below 0: not known, `message` may be NULL. */
void call_progress(struct call *call, double done, double total, const char *message);

/* --- Arguments --- */

/* NULL where it is not given and nothing stands for it. The bytes may hold NULs, except in paths.
 */
const char *call_text(const struct call *call, const char *name);
size_t call_text_length(const struct call *call, const char *name);
long long call_number(const struct call *call, const char *name);
bool call_flag(const struct call *call, const char *name);
bool call_has(const struct call *call, const char *name);
json_t *call_value(const struct call *call, const char *name);

/* --- Results --- */

/* The codes of errors, which are stable. */
#define CODE_INVALID_ARGUMENTS "invalid_arguments"
#define CODE_NOT_FOUND         "not_found"
#define CODE_NOT_PERMITTED     "not_permitted"
#define CODE_EXISTS            "exists"
#define CODE_NOT_A_DIRECTORY   "not_a_directory"
#define CODE_IS_A_DIRECTORY    "is_a_directory"
#define CODE_NOT_A_FILE        "not_a_file"
#define CODE_NOT_EMPTY         "not_empty"
#define CODE_TOO_LARGE         "too_large"
#define CODE_NO_SPACE          "no_space"
#define CODE_CHANGED           "changed_since_read"
#define CODE_NO_MATCH          "no_match"
#define CODE_NOT_UNIQUE        "not_unique"
#define CODE_REFUSED           "refused"
#define CODE_TIMED_OUT         "timed_out"
#define CODE_CANCELLED         "cancelled"
#define CODE_FAILED            "failed"

/* The call has failed. `path` and `level` (which was missing) may be NULL. */
void call_fail(struct call *call, const char *code, const char *path, const char *level,
               const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same for a system call on a path that needed that level ("read", "write"). Returns -1. */
int call_fail_errno(struct call *call, int number, const char *path, const char *level);

/* Appends the same as json_name as text of JSON. */
void json_add_name(struct strbuf *text, const char *bytes, size_t size);

/* A string for JSON: what is not UTF-8 is escaped as \ooo. New. */
json_t *json_name(const char *bytes, size_t size);

#endif
