/*
 * Ends what one call has started, and gets the shell back from it: with the call's signal first,
 * then by SIGKILL. The shell itself is told to give up its line (SESSION_BREAK), again and again
 * until it is back.
 */
#ifndef SCOPEFS_EXEC_SESSION_STOP_H
#define SCOPEFS_EXEC_SESSION_STOP_H

#include "process.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum session_stop_cause { STOP_NONE, STOP_SIGNAL, STOP_TIME, STOP_CALLER_GONE };

struct session_stop {
    enum session_stop_cause cause;
    int signal;         /* the first that is sent */
    int64_t next_round; /* as clock_us has it; CLOCK_NEVER while there is no cause */
    int64_t kill_at;    /* SIGKILL from then on */
    int64_t give_up_at; /* the shell will not come back */
    bool has_begun;     /* the first round is over */
    struct process_set signalled;
};

/* Nothing to stop. */
void session_stop_reset(struct session_stop *stop);

/* From the next round on: `signal` for what runs now. A caller's signal (STOP_SIGNAL) gives it all
 * the time it wants, the other causes `kill_after_ms`. */
void session_stop_begin(struct session_stop *stop, enum session_stop_cause cause, int signal,
                        unsigned long kill_after_ms);

/* Does what is due. `spared` are the children that the shell had before the call. False when the
 * shell has not come back in time. */
bool session_stop_round(struct session_stop *stop, pid_t shell, const struct process_set *spared);

#endif
