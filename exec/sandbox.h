/* A running sandbox: bwrap started by a plan, and the channel on which scopefs-stage2 reports. */
#ifndef SCOPEFS_EXEC_SANDBOX_H
#define SCOPEFS_EXEC_SANDBOX_H

#include "identity.h"
#include "plan.h"
#include "scopefs/error.h"
#include "view_mount.h"

#include <sys/types.h>

struct sandbox {
    pid_t bwrap; /* the child that stays outside and ends when the command does */
    int channel; /* -1 once stage2 has reported or is gone */
};

/* Starts bwrap (a path) as `identity` with nothing but the standard descriptors and what the plan
 * needs. 0, or -1 with *error set and nothing started. */
int sandbox_start(struct sandbox *sandbox, const char *bwrap, const struct sandbox_plan *plan,
                  const struct view_mount *view, const struct identity *identity,
                  struct error **error);

/* Where scopefs-stage2 is: beside the running program, else where it is installed. Caller frees. */
char *sandbox_stage2_path(void);

#endif
