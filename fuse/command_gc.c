#include "clean_up.h"
#include "commands.h"

#include <stdio.h>
#include <unistd.h>

static const struct option_row option_rows[] = {
    {"all", 'a', NULL, "for root: also dead views that other users have mounted"},
    HELP_ROW,
    {0},
};

const struct command gc_command = {
    .name = "scopefs gc",
    .synopsis = "[--all]",
    .purpose = "Takes away what killed processes left: dead views, run files, sockets and private "
               "views of commands that are gone.",
    .options = option_rows,
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    (void)argument;
    if (command_is_help(&gc_command, row))
        return 0;
    if (geteuid() != 0)
        return error_set(error, 0, "--all is for root");
    *(enum clean_views *)context = CLEAN_ALL_VIEWS;
    return 0;
}

static void tell(const char *line)
{
    puts(line);
}

int command_gc(int argc, char **argv)
{
    enum clean_views views = CLEAN_OWN_VIEWS;
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&gc_command, argc, argv, take_option, &views, &error);
    if (operands < 0)
        return command_usage(&gc_command, error->message);
    if (operands > 0)
        return command_usage(&gc_command, "it takes no operand");
    return clean_up(views, tell, &error) < 0 ? command_fail(&gc_command, error) : STATUS_OK;
}
