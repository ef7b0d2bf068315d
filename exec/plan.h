/*
 * What the sandbox of one command consists of: mounts, environment, namespaces, system call filter,
 * working directory and command. Making a plan is pure: it looks at a scope, a request and the
 * facts that facts.h gathered, and at nothing else; it can so be tested, printed and reviewed as a
 * value.
 */
#ifndef SCOPEFS_EXEC_PLAN_H
#define SCOPEFS_EXEC_PLAN_H

#include "facts.h"
#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a command finds whatever the host's names are. */
#define SANDBOX_WORKSPACE "/workspace"
#define SANDBOX_USER      "agent"
#define SANDBOX_HOME      "/home/" SANDBOX_USER

/* What the command line asks for, beside the scope. */
struct sandbox_request {
    const struct scope *scope;
    const char *workdir;            /* below SANDBOX_WORKSPACE or relative to it; NULL: its root */
    const char *const *environment; /* "NAME=VALUE", over what the scope names; NULL-terminated */
    bool has_timeout;               /* timeout_ms stands in place of the scope's */
    unsigned long timeout_ms;       /* 0: none */
    char *const *command;           /* NULL-terminated, at least one */
};

enum sandbox_mount_kind {
    SANDBOX_DIRECTORY,      /* a read-only directory for what comes below it */
    SANDBOX_READ_ONLY_BIND, /* of a host path */
    SANDBOX_SYMLINK,
    SANDBOX_FILE,  /* read-only, made up for the sandbox */
    SANDBOX_COPY,  /* of a host file, read-only: quicker than a bind when it is small */
    SANDBOX_TMPFS, /* empty and writable, with permissions */
    SANDBOX_PROC,
    SANDBOX_DEV,
    SANDBOX_VIEW, /* bind of the mounted scope; writable as far as its rules go */
};

struct sandbox_mount {
    enum sandbox_mount_kind kind;
    char *destination;
    char *source; /* host path, link target or contents, by kind; NULL for the others */
    mode_t permissions;
    unsigned long long size; /* of a SANDBOX_TMPFS in bytes; 0: the kernel's default */
};

struct sandbox_variable {
    char *name;
    char *value;
};

/* One of setrlimit(2), which each process of the command has by itself. */
struct sandbox_rlimit {
    int resource;
    unsigned long long value;
};

struct sandbox_plan {
    struct sandbox_mount *mounts; /* in the order in which they are made */
    size_t mount_count;
    struct sandbox_variable *environment; /* the whole of it; each name once */
    size_t variable_count;
    char *hostname;
    const char *workspace; /* where the view is inside; borrowed */
    char *workdir;         /* absolute, inside */
    uid_t uid;             /* host ids that the command has; inside they are the same */
    gid_t gid;
    bool share_network;
    bool allow_tracing;                  /* by ptrace(2), of processes in the sandbox */
    const char *const *network_patterns; /* whom it may talk to through scopefs-network; borrowed */
    size_t network_pattern_count;
    unsigned long timeout_ms;    /* 0: none */
    unsigned long kill_after_ms; /* from SIGTERM to SIGKILL when the time is over */
    struct sandbox_rlimit rlimits[4];
    size_t rlimit_count;
    char *const *command; /* borrowed from the request */
};

#define cleanup_plan __attribute__((cleanup(sandbox_plan_free)))

/* Fills *plan (zeroed by the caller), all but where on the host the view is. 0, or -1 with *error
 * set: a request that cannot be met, or a plan that sandbox_plan_check refuses. */
int sandbox_plan_make(struct sandbox_plan *plan, const struct sandbox_request *request,
                      const struct host_facts *facts, struct error **error);

/* Whether a variable may be asked for as "NAME=VALUE": *length is set to its name's. -1 with *error
 * set when it may not. */
int sandbox_plan_check_variable(const struct exec_settings *settings, const char *assignment,
                                size_t *length, struct error **error);

/* The working directory that is asked for, absolute; NULL asks for the workspace. The caller frees
 * it. NULL with *error set when it is no place in the workspace. */
char *sandbox_plan_workdir(const char *workspace, const char *wanted, struct error **error);

/* Completes the plan, when the scope is mounted at that path. */
void sandbox_plan_set_view(struct sandbox_plan *plan, const char *path);

/* Has each process held by itself where no control group holds all of them: of the bits (see
 * cgroup.h) that `missing` has, as far as there is a limit of that kind. */
void sandbox_plan_hold_processes(struct sandbox_plan *plan, const struct exec_limits *limits,
                                 unsigned missing);

/* Refuses a plan in which a mount lies below a place that the agent can write (it could swap a
 * directory for a symlink while a sandbox is being set up), two mounts share a place, the view is
 * not the last mount, or an agent would have host uid 0. 0, or -1 with *error set. */
int sandbox_plan_check(const struct sandbox_plan *plan, struct error **error);

/* Building blocks, for tests of the check. Strings are copied; `source` may be NULL. Directories
 * above a place that are missing are added. */
void sandbox_plan_add_mount(struct sandbox_plan *plan, enum sandbox_mount_kind kind,
                            const char *destination, const char *source, mode_t permissions);
void sandbox_plan_set_variable(struct sandbox_plan *plan, const char *name, const char *value);

/* Of absolute paths without ".." and without a slash at the end. */
bool path_is_at_or_below(const char *path, const char *directory);

void sandbox_plan_free(struct sandbox_plan *plan);

#endif
