/*
 * From a sandbox's start to its end: passes signals on to the command, enforces the time limit, and
 * does not return before the last process of the sandbox is gone.
 */
#ifndef SCOPEFS_EXEC_SUPERVISE_H
#define SCOPEFS_EXEC_SUPERVISE_H

#include "process.h"
#include "sandbox.h"
#include "scopefs/error.h"

#include <stdbool.h>

struct outcome {
    bool came_up;         /* the command, or the attempt to execute it, was reached */
    bool refused;         /* no command, and the cause was already said on standard error */
    bool timed_out;       /* the time limit ended it */
    int interrupted;      /* the signal that ended it before the command was there, or 0 */
    int exit_status;      /* of bwrap, which gives the command's, as a shell has it */
    bool status_is_known; /* wait_status was told, which has more than that */
    int wait_status;      /* of the command, as of waitpid(2) */
    unsigned long long duration_us; /* from the start of bwrap to the end of its last process */
};

struct supervisor {
    int signals;               /* a signalfd for all that matters */
    int interrupts;            /* one for those that are passed on, to be waited for but not read */
    struct process_set spared; /* children that do not belong to the sandbox */
};

#define cleanup_supervisor __attribute__((cleanup(supervisor_free)))

/* Blocks the signals that are passed on, except those that the caller made us ignore: they wait
 * from here on to be read, so that a clean-up follows. To be called once, before the first child.
 * 0, or -1 with *error set. */
int supervisor_prepare(struct supervisor *supervisor, struct error **error);

/* The number of a signal that has arrived since, or 0. */
int supervisor_interrupted(const struct supervisor *supervisor);

/* Adopts what a dying bwrap leaves behind. To be called after the view is mounted, because its
 * daemon shall not be adopted, and before sandbox_start. 0, or -1 with *error set. */
int supervisor_adopt(struct supervisor *supervisor, struct error **error);

/* Returns when the sandbox is gone, with *outcome set and all that was captured. */
void supervisor_watch(const struct supervisor *supervisor, struct sandbox *sandbox,
                      const struct sandbox_plan *plan, struct outcome *outcome);

void supervisor_free(struct supervisor *supervisor);

#endif
