/* The command line of scopefs-mcp. */
#ifndef SCOPEFS_MCP_INVOCATION_H
#define SCOPEFS_MCP_INVOCATION_H

#include "http.h"
#include "scopefs/error.h"
#include "scopefs/options.h"

#include <stdbool.h>

struct invocation {
    const char *config_file; /* NULL: the usual one */
    const char *listen;      /* NULL: standard input and output */
    struct http_settings http;
    bool is_without_tokens, is_plain; /* what is refused otherwise */
    bool make_token;
    bool help, version;
};

extern const struct command invocation_command;

/* Fills *invocation; argv must outlive it. 0, or -1 with *error set. */
int invocation_parse(struct invocation *invocation, int argc, char **argv, struct error **error);

void invocation_free(struct invocation *invocation);

#endif
