/* The control group of a plan's sandbox, and what is done where there is none. */
#ifndef SCOPEFS_EXEC_CGROUP_PLAN_H
#define SCOPEFS_EXEC_CGROUP_PLAN_H

#include "cgroup.h"
#include "plan.h"
#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>

/* Makes the group with the scope's limits, which also measures what `measured` says if it can. Of
 * `is_followed` see sandbox_start's `follow`. What
 * it cannot hold is said on standard error, and held for each process by the plan. 0, or -1 with
 * *error set where the scope does not put up with less. */
int cgroup_open_for_plan(struct cgroup *cgroup, const struct scope *scope, unsigned measured,
                         bool is_followed, struct sandbox_plan *plan, struct error **error);

#endif
