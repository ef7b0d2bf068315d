/* The process that keeps a session: the sandbox is its child, and callers take turns with it. */
#ifndef SCOPEFS_EXEC_SESSION_HOST_H
#define SCOPEFS_EXEC_SESSION_HOST_H

#include "identity.h"
#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>
#include <stdint.h>

struct session_host_setup {
    const char *config_file; /* absolute */
    uint64_t config_digest;
    const struct scope *scope;
    const struct identity *identity;
    const char *name;
    bool is_terminal;   /* it is interactive */
    bool is_given_view; /* the scope's mount was named by --view */
};

/* Serves the session until it ends. Standard output is a pipe on which it says "ok" as soon as
 * calls can be made, or why there will be none, and which it closes then. 0, or -1 with *error set.
 */
int session_host_run(const struct session_host_setup *setup, struct error **error);

#endif
