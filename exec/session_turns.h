/*
 * Whose turn it is with a session: takes calls in, gives each to the shell when it is idle, and
 * sees to its end. What belongs to the session as a whole is in session_host.c.
 */
#ifndef SCOPEFS_EXEC_SESSION_TURNS_H
#define SCOPEFS_EXEC_SESSION_TURNS_H

#include "process.h"
#include "session_callers.h"
#include "session_folder.h"
#include "session_host.h"
#include "session_sandbox.h"
#include "session_stop.h"
#include "session_usage.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct session_turns {
    const struct session_host_setup *setup;
    struct session_name session;
    uint64_t settings;
    struct session_sandbox sandbox;
    struct session_callers callers;
    struct session_caller *running; /* or NULL */
    struct process_set spared;      /* children that the shell had before the call */
    struct session_stop stop;
    struct session_usage before; /* what the session had used */
    int64_t call_started;
    int folder, listener, mounts;
    time_t started, used;
    int64_t idle_since;
    uint64_t calls;
    bool awaits_go; /* the running call has not begun yet */
    bool is_ending;
    int64_t kill_at; /* when it is ending */
    char end_text[512];
};

/* Hears what a caller has to say, or that he is gone. */
void session_turns_listen(struct session_turns *turns, struct session_caller *caller);

/* Gives the turn to the next one, when the shell is idle. */
void session_turns_start_next(struct session_turns *turns);

/* Ends the running call, for one of the causes. */
void session_turns_stop(struct session_turns *turns, enum session_stop_cause cause, int number);

/* Tells the caller of the running call what became of it. */
void session_turns_finish(struct session_turns *turns, int status, bool has_ended,
                          const char *text);

/* Begins the session's end; `text` tells people why. */
void session_turns_end(struct session_turns *turns, const char *text);

#endif
