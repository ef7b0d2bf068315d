#include "invocation.h"

#include <string.h>

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read scopes from FILE"},
    {"help", 'h', NULL, "print this help"},
    {"version", 0, NULL, "print the version"},
    {0},
};

const struct command invocation_command = {
    .name = "scopefs-mcp",
    .synopsis = "[OPTION...] SCOPE",
    .purpose = "Serve tools on the view of a scope over the Model Context Protocol.",
    .options = option_rows,
};

static int handle_option(void *context, const struct option_row *row, const char *argument,
                         struct error **error)
{
    struct invocation *invocation = context;
    (void)error;
    if (strcmp(row->name, "config") == 0)
        invocation->config_file = argument;
    else if (strcmp(row->name, "help") == 0)
        invocation->help = true;
    else
        invocation->version = true;
    return 0;
}

int invocation_parse(struct invocation *invocation, int argc, char **argv, struct error **error)
{
    *invocation = (struct invocation){0};
    int operands = options_parse(&invocation_command, argc, argv, handle_option, invocation, error);
    if (operands < 0)
        return -1;
    if (invocation->help || invocation->version)
        return 0;
    if (operands != 1)
        return error_set(error, 0, "name one scope");
    invocation->scope_name = argv[1];
    return 0;
}
