/* What became of a command, as one JSON object for programs. */
#ifndef SCOPEFS_EXEC_RESULT_H
#define SCOPEFS_EXEC_RESULT_H

#include "cgroup.h"
#include "sandbox.h"
#include "supervise.h"

#include <stdbool.h>
#include <stdio.h>

struct result {
    const char *scope_name;
    int exit_status;   /* what scopefs-exec itself ends with */
    const char *error; /* why no command was run, or NULL */
    bool refused;      /* by a rule over commands, or by who was asked */
    struct outcome outcome;
    const char *session;       /* in which the command ran; NULL: none */
    bool session_is_new;       /* it was the session's first */
    bool session_has_ended;    /* with the command */
    char *session_connections; /* which its network refused meanwhile, as JSON; or NULL; owned */
    struct cgroup_usage usage;
    struct sandbox sandbox; /* what it captured */
};

/* Adds what rusage knows where no control group has counted. To be called when all children are
 * gone. */
void result_add_usage(struct result *result);

/* With what the command printed and what the rules refused to it, or without. */
void result_print(const struct result *result, bool with_output, FILE *stream);

#endif
