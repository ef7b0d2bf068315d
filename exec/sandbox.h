/* A running sandbox: bwrap started by a plan, and the channel on which scopefs-stage2 reports. */
#ifndef SCOPEFS_EXEC_SANDBOX_H
#define SCOPEFS_EXEC_SANDBOX_H

#include "access_report.h"
#include "capture.h"
#include "cgroup.h"
#include "identity.h"
#include "network_report.h"
#include "plan.h"
#include "scopefs/error.h"
#include "view_mount.h"

#include <sys/types.h>

struct sandbox {
    pid_t bwrap; /* the child that stays outside and ends when the command does */
    int channel; /* -1 once stage2 has reported or is gone */
    struct capture output, errors;
    struct network_report network;
    struct access_report accesses;
};

/* One that was not started. */
#define SANDBOX_NONE                                                                               \
    {                                                                                              \
        .channel = -1, .output.fd = -1, .errors.fd = -1, .network.fd = -1, .accesses.fd = -1       \
    }

/* Where bwrap starts, beside what the plan says. */
struct sandbox_start {
    const char *bwrap; /* its path */
    const struct scope *scope;
    const struct view_mount *view;
    const struct identity *identity;
    const struct cgroup *cgroup;
    const char *program;  /* of the host, runs in place of the command's first word; or NULL */
    bool is_session;      /* of a session's shell, which reads commands from `input` */
    bool is_terminal;     /* of a session that has a terminal instead */
    int input;            /* becomes standard input; -1: the caller's */
    bool capture;         /* what the command prints goes to sandbox->output and ->errors */
    size_t capture_limit; /* bytes of each that are kept */
    bool follow; /* how the command ends, and what the view refuses to it, is to be known */
};

/* Starts bwrap with nothing but the standard descriptors and what the plan needs. 0, or -1 with
 * *error set and nothing started. */
int sandbox_start(struct sandbox *sandbox, const struct sandbox_plan *plan,
                  const struct sandbox_start *start, struct error **error);

void sandbox_free(struct sandbox *sandbox);

/* Where scopefs-stage2 is: beside the running program, else where it is installed. Caller frees. */
char *sandbox_stage2_path(void);

#endif
