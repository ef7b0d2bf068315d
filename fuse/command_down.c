#include "commands.h"
#include "selection.h"
#include "source_folder.h"
#include "take_down.h"

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read this file instead of looking for scopefs.ini"},
    {"purge", 0, NULL,
     "then remove the sources of the named scopes, where they say 'create = yes'"},
    {"lazy", 'l', NULL, "also views in use; they go when the last user is through"},
    HELP_ROW,
    {0},
};

const struct command down_command = {
    .name = "scopefs down",
    .synopsis = "[-c FILE] [--lazy] [--purge] [SCOPE]...",
    .purpose = "Unmounts the views of all scopes of the file, or of those named, and waits until "
               "their processes have ended.",
    .options = option_rows,
};

struct down_options {
    const char *file;
    bool lazy, purge;
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    struct down_options *options = context;
    (void)error;
    if (command_is_help(&down_command, row))
        return 0;
    if (row->letter == 'c')
        options->file = argument;
    else if (row->letter == 'l')
        options->lazy = true;
    else
        options->purge = true;
    return 0;
}

static int purge(const struct selection *selection)
{
    int status = STATUS_OK;
    for (size_t i = 0; i < selection->count; i++) {
        cleanup_error struct error *error = NULL;
        if (source_folder_purge(selection->scopes[i], selection->config_file, &error) < 0)
            status = command_fail(&down_command, error);
    }
    return status;
}

int command_down(int argc, char **argv)
{
    struct down_options options = {0};
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&down_command, argc, argv, take_option, &options, &error);
    if (operands < 0)
        return command_usage(&down_command, error->message);
    if (options.purge && operands == 0)
        return command_usage(&down_command, "name the scopes to purge");
    cleanup_selection struct selection selection = {0};
    if (!selection_load(&selection, &down_command, options.file, argv + 1, (size_t)operands))
        return STATUS_FAILED;
    struct take_down wanted = {.scopes = selection.scopes,
                               .count = selection.count,
                               .config_file = selection.config_file,
                               .all = operands == 0,
                               .lazy = options.lazy,
                               .command = down_command.name};
    int failed = take_down(&wanted, &error);
    if (failed < 0)
        return command_fail(&down_command, error);
    if (failed || !options.purge)
        return failed ? STATUS_FAILED : STATUS_OK;
    return purge(&selection);
}
