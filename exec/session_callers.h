/* Who is connected to a session, in the order in which they came: the first with a call has its
 * turn next. Nobody is trusted to read what he is sent. */
#ifndef SCOPEFS_EXEC_SESSION_CALLERS_H
#define SCOPEFS_EXEC_SESSION_CALLERS_H

#include "session_protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session_caller {
    int socket; /* -1: gone */
    bool has_call;
    bool waits_for_end; /* has asked for the session's end */
    struct session_call call;
    int fds[SESSION_DESCRIPTORS];
    int64_t deadline; /* of the call, as clock_us has it */
};

struct session_callers {
    struct session_caller **items;
    size_t count;
};

/* Takes in who waits at the listening socket, unless it is another user. */
void session_callers_accept(struct session_callers *callers, int listener);

/* Takes those out who are gone, but for `running`. */
void session_callers_sweep(struct session_callers *callers, const struct session_caller *running);

/* The first with a call, or NULL. */
struct session_caller *session_callers_next(const struct session_callers *callers);

/* Sends a message, with a descriptor unless it is -1, and lets the caller go: he has got what he
 * came for. */
void session_caller_dismiss(struct session_caller *caller, struct session_message *message, int fd);

/* The same with nothing in the message but these. */
void session_caller_answer(struct session_caller *caller, enum session_message_kind kind,
                           int number, unsigned flags, const char *text);

void session_callers_free(struct session_callers *callers);

#endif
