/* The command line of scopefs-exec. */
#ifndef SCOPEFS_EXEC_INVOCATION_H
#define SCOPEFS_EXEC_INVOCATION_H

#include "plan.h"
#include "scopefs/error.h"
#include "scopefs/options.h"

#include <stdbool.h>
#include <stddef.h>

struct invocation {
    const char *config_file;
    const char *scope_name;
    const char **environment; /* NULL-terminated */
    size_t environment_count;
    const char *input_file; /* --stdin */
    char *shell_line;       /* --shell */
    char *shell_command[4];
    const char *view;       /* --view */
    const char *session;    /* --session */
    char **session_command; /* what follows "session", NULL-terminated; NULL: it is none */
    bool serves_session;    /* it is the process that keeps one */
    int report;             /* --report; -1: none */
    bool tty;               /* --tty */
    bool dry_run, print_seccomp, json, yes, tool_server, help, version;
    struct sandbox_request request; /* all but the scope */
};

extern const struct command invocation_command;

/* Fills *invocation, which must not move afterwards; argv must outlive it,
 * and ends with NULL afterwards. 0, or -1 with *error set. */
int invocation_parse(struct invocation *invocation, int argc, char **argv, struct error **error);

void invocation_free(struct invocation *invocation);

#endif
