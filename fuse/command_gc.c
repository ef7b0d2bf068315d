#include "clean_up.h"
#include "commands.h"

#include <stdio.h>

static const struct option_row option_rows[] = {HELP_ROW, {0}};

const struct command gc_command = {
    .name = "scopefs gc",
    .synopsis = "",
    .purpose = "Takes away what killed processes left: dead views, run files, sockets and private "
               "views of commands that are gone.",
    .options = option_rows,
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    (void)context;
    (void)argument;
    (void)error;
    command_is_help(&gc_command, row);
    return 0;
}

static void tell(const char *line)
{
    puts(line);
}

int command_gc(int argc, char **argv)
{
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&gc_command, argc, argv, take_option, NULL, &error);
    if (operands < 0)
        return command_usage(&gc_command, error->message);
    if (operands > 0)
        return command_usage(&gc_command, "it takes no operand");
    return clean_up(true, tell, &error) < 0 ? command_fail(&gc_command, error) : STATUS_OK;
}
