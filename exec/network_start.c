#include "network_start.h"

#include "process.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static char name[] = "scopefs-network";

static _Noreturn void become_network(int program, int channel, int report,
                                     const struct sandbox_plan *plan,
                                     const struct identity *identity)
{
    /* Name services may be told by variables to ask elsewhere, and it is the scope that decides. */
    static char *const no_environment[] = {NULL};
    cleanup_free char *channel_text = xasprintf("%d", channel);
    cleanup_free char *report_text = xasprintf("%d", report);
    cleanup_free char **arguments = xcalloc(plan->network_pattern_count + 4, sizeof(char *));
    arguments[0] = name;
    arguments[1] = channel_text;
    arguments[2] = report_text;
    for (size_t i = 0; i < plan->network_pattern_count; i++)
        arguments[3 + i] = (char *)plan->network_patterns[i];
    process_prepare_child();
    if (chdir("/") == 0 && identity_become(identity) == 0 &&
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && fcntl(channel, F_SETFD, 0) == 0 &&
        fcntl(report, F_SETFD, 0) == 0)
        fexecve(program, arguments, no_environment);
    fprintf(stderr, "scopefs-exec: cannot start %s: %s\n", name, strerror(errno));
    _exit(125);
}

int network_start(struct network_ends *ends, const struct sandbox_plan *plan,
                  const struct identity *identity, struct error **error)
{
    int channel[2], report[2];
    cleanup_free char *path = process_own_program(name);
    cleanup_fd int program = open(path, O_PATH | O_CLOEXEC);
    if (program < 0)
        return error_set(error, errno, "%s is missing; install scopefs anew", path);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
        return error_set(error, errno, "cannot make a channel into the sandbox");
    cleanup_fd int inside = channel[0], outside = channel[1];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) < 0)
        return error_set(error, errno, "cannot make a channel to %s", name);
    cleanup_fd int report_here = report[0], report_there = report[1];
    pid_t child = fork();
    if (child < 0)
        return error_set(error, errno, "cannot start %s", name);
    if (child == 0)
        become_network(program, outside, report_there, plan, identity);
    *ends = (struct network_ends){.inside = fd_steal(&inside), .report = fd_steal(&report_here)};
    return 0;
}
