/* The command line of scopefs-mcp. */
#ifndef SCOPEFS_MCP_INVOCATION_H
#define SCOPEFS_MCP_INVOCATION_H

#include "scopefs/error.h"
#include "scopefs/options.h"

#include <stdbool.h>

struct invocation {
    const char *config_file;
    const char *scope_name;
    bool help, version;
};

extern const struct command invocation_command;

/* Fills *invocation; argv must outlive it. 0, or -1 with *error set. */
int invocation_parse(struct invocation *invocation, int argc, char **argv, struct error **error);

#endif
