#include "bring_up.h"
#include "clean_up.h"
#include "commands.h"
#include "selection.h"

#include <unistd.h>

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read this file instead of looking for scopefs.ini"},
    {"keep-going", 'k', NULL, "keep what could be mounted when something else could not"},
    HELP_ROW,
    {0},
};

const struct command up_command = {
    .name = "scopefs up",
    .synopsis = "[-c FILE] [--keep-going] [SCOPE]...",
    .purpose = "Mounts all scopes of the file, or those named, that are not mounted yet.",
    .options = option_rows,
};

struct up_options {
    const char *file;
    bool keep_going;
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    struct up_options *options = context;
    (void)error;
    if (command_is_help(&up_command, row))
        return 0;
    if (row->letter == 'c')
        options->file = argument;
    else
        options->keep_going = true;
    return 0;
}

int command_up(int argc, char **argv)
{
    struct up_options options = {0};
    cleanup_error struct error *error = NULL;
    close_range(STDERR_FILENO + 1, ~0u, 0);
    int operands = options_parse(&up_command, argc, argv, take_option, &options, &error);
    if (operands < 0)
        return command_usage(&up_command, error->message);
    cleanup_selection struct selection selection = {0};
    if (!selection_load(&selection, &up_command, options.file, argv + 1, (size_t)operands))
        return STATUS_FAILED;
    struct bring_up wanted = {.scopes = selection.scopes,
                              .count = selection.count,
                              .config_file = selection.config_file,
                              .config_digest = selection.config->digest,
                              .keep_going = options.keep_going,
                              .command = up_command.name};
    int failed = bring_up(&wanted, &error);
    clean_up(CLEAN_NO_VIEWS, NULL, NULL);
    if (failed < 0)
        return command_fail(&up_command, error);
    return failed ? STATUS_FAILED : STATUS_OK;
}
