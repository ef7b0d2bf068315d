/* The sandbox of a session, from the scope's settings to a shell that waits in it. */
#ifndef SCOPEFS_EXEC_SESSION_SANDBOX_H
#define SCOPEFS_EXEC_SESSION_SANDBOX_H

#include "cgroup.h"
#include "identity.h"
#include "plan.h"
#include "sandbox.h"
#include "scopefs/config.h"
#include "scopefs/error.h"
#include "session_shell.h"
#include "session_terminal.h"
#include "supervise.h"
#include "view_mount.h"

#include <stdbool.h>

/* As what the shell of a session is started; NULL-terminated. */
extern char *const session_shell_command[];

struct session_sandbox {
    const char *config_file;
    const struct scope *scope;
    const struct identity *identity;
    const char *name;   /* the session's */
    bool is_given_view; /* the scope's mount was named by --view */
    bool is_terminal;   /* it is interactive */
    struct supervisor supervisor;
    struct view_mount view;
    struct cgroup cgroup;
    struct sandbox_plan plan;
    struct sandbox sandbox;
    struct session_shell shell;       /* but where it is interactive */
    struct session_terminal terminal; /* only there */
    char *bwrap;                      /* its path */
    int run_file;                     /* see scopefs/sandbox_file.h */
    bool is_running;                  /* bwrap was started and has not ended */
    int exit_status;                  /* of the shell, when it has */
};

/* Mounts the view if needed and starts the sandbox; *session holds its first six fields. Its shell
 * is not there yet. 0, or -1 with *error set. */
int session_sandbox_start(struct session_sandbox *session, struct error **error);

/* When sandbox.channel can be read: 1 when the shell is there, and was greeted; 0 when there is
 * nothing to hear; -1 with *error set to why there is none. */
int session_sandbox_hear(struct session_sandbox *session, struct error **error);

/* Whether its view is still mounted where it was. */
bool session_sandbox_has_view(const struct session_sandbox *session);

/* Takes note of the end of bwrap, with which all that was inside is gone. */
void session_sandbox_reap(struct session_sandbox *session);

/* Ends what still runs, and takes everything away again. */
void session_sandbox_free(struct session_sandbox *session);

#endif
