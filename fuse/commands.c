#include "commands.h"

#include "scopefs/mem.h"

#include <errno.h>
#include <stdio.h>

int command_fail(const struct command *command, const struct error *error)
{
    fprintf(stderr, "%s: %s\n", command->name, error->message);
    return STATUS_FAILED;
}

int command_usage(const struct command *command, const char *message)
{
    fprintf(stderr, "%s: %s\nUsage: %s %s\n'%s --help' tells more.\n", command->name, message,
            command->name, command->synopsis, command->name);
    return STATUS_USAGE;
}

bool command_is_help(const struct command *command, const struct option_row *row)
{
    if (strcmp(row->name, "help") != 0)
        return false;
    options_print_help(command, stdout);
    exit(STATUS_OK);
}

char *command_config_path(const struct command *command, const char *file)
{
    cleanup_error struct error *error = NULL;
    cleanup_free char *found = file ? xstrdup(file) : config_find(&error);
    char *whole = found ? realpath(found, NULL) : NULL;
    if (found && !whole)
        error_set(&error, errno, "cannot find %s", found);
    if (!whole)
        command_fail(command, error);
    return whole;
}

struct config *command_load(const struct command *command, const char *file)
{
    cleanup_error struct error *error = NULL;
    cleanup_free char *found = file ? NULL : config_find(&error);
    if (!file && !found) {
        command_fail(command, error);
        return NULL;
    }
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    struct config *config = config_load(file ? file : found, &diagnostics);
    if (!config)
        diagnostics_print(&diagnostics, stderr);
    return config;
}
