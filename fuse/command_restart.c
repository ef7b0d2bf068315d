#include "bring_up.h"
#include "clean_up.h"
#include "commands.h"
#include "selection.h"
#include "take_down.h"

#include <unistd.h>

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read this file instead of looking for scopefs.ini"},
    HELP_ROW,
    {0},
};

const struct command restart_command = {
    .name = "scopefs restart",
    .synopsis = "[-c FILE] [SCOPE]...",
    .purpose = "Unmounts all scopes of the file, or those named, and mounts them again.",
    .options = option_rows,
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    (void)error;
    if (!command_is_help(&restart_command, row))
        *(const char **)context = argument;
    return 0;
}

/* What is in use stays as it is, and is told; the others are restarted all the same. */
static int restart(const struct selection *selection, struct error **error)
{
    struct take_down old = {.scopes = selection->scopes,
                            .count = selection->count,
                            .config_file = selection->config_file,
                            .quiet = true,
                            .command = restart_command.name};
    struct bring_up new = {.scopes = selection->scopes,
                           .count = selection->count,
                           .config_file = selection->config_file,
                           .config_digest = selection->config->digest,
                           .keep_going = true,
                           .command = restart_command.name};
    int kept = take_down(&old, error);
    int failed = kept < 0 ? -1 : bring_up(&new, error);
    clean_up(CLEAN_NO_VIEWS, NULL, NULL);
    return failed < 0 ? -1 : failed + kept;
}

int command_restart(int argc, char **argv)
{
    const char *file = NULL;
    cleanup_error struct error *error = NULL;
    close_range(STDERR_FILENO + 1, ~0u, 0);
    int operands = options_parse(&restart_command, argc, argv, take_option, &file, &error);
    if (operands < 0)
        return command_usage(&restart_command, error->message);
    cleanup_selection struct selection selection = {0};
    if (!selection_load(&selection, &restart_command, file, argv + 1, (size_t)operands))
        return STATUS_FAILED;
    int failed = restart(&selection, &error);
    if (failed < 0)
        return command_fail(&restart_command, error);
    return failed ? STATUS_FAILED : STATUS_OK;
}
