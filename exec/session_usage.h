/* What a session has used up, as far as somebody counts it. */
#ifndef SCOPEFS_EXEC_SESSION_USAGE_H
#define SCOPEFS_EXEC_SESSION_USAGE_H

#include "cgroup.h"
#include "session_protocol.h"
#include "session_sandbox.h"

struct session_usage {
    struct cgroup_usage group;
};

/* From the control group; without one, processor time from the shell and those of its children that
 * have ended, in the steps in which the kernel tells it. */
void session_usage_read(struct session_usage *usage, const struct session_sandbox *session);

void session_usage_since(struct session_result *result, const struct session_usage *before,
                         const struct session_usage *now);

#endif
