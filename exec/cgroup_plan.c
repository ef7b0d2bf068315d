#include "cgroup_plan.h"

#include "scopefs/strbuf.h"

#include <stdio.h>

static void add_name(struct strbuf *names, unsigned bits, unsigned bit, const char *name)
{
    if (bits & bit)
        strbuf_add_format(names, "%s%s", names->length ? ", " : "", name);
}

int cgroup_open_for_plan(struct cgroup *cgroup, const struct scope *scope, unsigned measured,
                         bool is_followed, struct sandbox_plan *plan, struct error **error)
{
    const struct exec_limits *limits = &scope->exec.limits;
    struct exec_limits held = *limits;
    unsigned needed = cgroup_needed(limits);
    cleanup_strbuf struct strbuf names = {0};
    if (held.processes) /* the network's forwarder, and who waits for the command */
        held.processes += (plan->network_pattern_count > 0) + (unsigned)is_followed;
    cgroup_open(cgroup, &held, needed | measured);
    unsigned missing = needed & ~cgroup->held;
    if (missing == 0)
        return 0;
    add_name(&names, missing, CGROUP_MEMORY, "memory");
    add_name(&names, missing, CGROUP_PIDS, "pids");
    add_name(&names, missing, CGROUP_CPU, "cpu");
    if (limits->strict)
        return error_set(error, 0,
                         "limits = strict, but there is no control group to hold %s; run it as "
                         "root, below a group that you may write, with its controllers switched on "
                         "in cgroup.subtree_control, or where systemd delegates one: systemd-run "
                         "--user --scope -p Delegate=yes scopefs-exec ...",
                         names.bytes);
    fprintf(stderr,
            "scopefs-exec: there is no control group to hold %s: memory is held for each process "
            "by itself, cpu not at all\n",
            names.bytes);
    sandbox_plan_hold_processes(plan, &held, missing);
    return 0;
}
