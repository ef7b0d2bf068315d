#include "commands.h"
#include "lint.h"

#include "scopefs/mem.h"

#include <stdio.h>

static const struct option_row option_rows[] = {HELP_ROW, {0}};

const struct command check_command = {
    .name = "scopefs check",
    .synopsis = "[FILE]",
    .purpose =
        "Reads a configuration, looks at the sources, and prints every error and warning. The exit "
        "status is 1 when there is an error.",
    .options = option_rows,
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    (void)context;
    (void)argument;
    (void)error;
    command_is_help(&check_command, row);
    return 0;
}

static void print_summary(const struct config *config, const struct diagnostics *diagnostics)
{
    printf("%s: %zu scope%s", config->file, config->scope_count,
           config->scope_count == 1 ? "" : "s");
    size_t warnings = diagnostics->count - diagnostics->errors;
    if (warnings)
        printf(", %zu warning%s", warnings, warnings == 1 ? "" : "s");
    if (diagnostics->errors)
        printf(", %zu error%s\n", diagnostics->errors, diagnostics->errors == 1 ? "" : "s");
    else
        printf(", no errors\n");
}

int command_check(int argc, char **argv)
{
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&check_command, argc, argv, take_option, NULL, &error);
    if (operands < 0)
        return command_usage(&check_command, error->message);
    if (operands > 1)
        return command_usage(&check_command, "give at most one FILE");
    cleanup_free char *file = operands ? xstrdup(argv[1]) : config_find(&error);
    if (!file)
        return command_fail(&check_command, error);

    cleanup_diagnostics struct diagnostics diagnostics = {0};
    struct config *config = config_load(file, &diagnostics);
    if (config)
        lint_config(config, &diagnostics);
    diagnostics_print(&diagnostics, stderr);
    if (config)
        print_summary(config, &diagnostics);
    int status = config && !diagnostics.errors ? STATUS_OK : STATUS_FAILED;
    config_free(config);
    return status;
}
