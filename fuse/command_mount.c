#include "commands.h"
#include "launch.h"

#include "scopefs/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read this file instead of looking for scopefs.ini"},
    {"foreground", 'f', NULL, "stay in the foreground and log to standard error"},
    {"source", 0, "DIR", "show this directory, without an ini file; needs a MOUNTPOINT"},
    {"preset", 0, "NAME", "with --source: add the rules of this preset (any number)"},
    {"rule", 0, "LEVEL=PATTERN", "with --source: add this rule (any number, the last wins)"},
    {"for-user", 0, "UID:GID", "as root: let this user alone use the view"},
    {"allow-other", 0, NULL, "let all users in, with the permissions the files have"},
    HELP_ROW,
    {0},
};

const struct command mount_command = {
    .name = "scopefs mount",
    .synopsis = "[-c FILE] [-f] SCOPE [MOUNTPOINT]\n"
                "       scopefs mount --source DIR [--preset NAME]... [--rule LEVEL=PATTERN]... "
                "MOUNTPOINT",
    .purpose = "Mounts a scope's view and returns when it can be used.",
    .options = option_rows,
};

struct mount_options {
    const char *config, *source;
    const char **presets, **rules; /* end with NULL */
    size_t preset_count, rule_count;
    struct launch launch;
};

static void add_text(const char ***list, size_t *count, const char *text)
{
    *list = xreallocarray(*list, *count + 2, sizeof(**list));
    (*list)[(*count)++] = text;
    (*list)[*count] = NULL;
}

/* Reads a decimal number that ends at `end` in the text. False when it is no id. */
static bool parse_id(const char *text, char end, unsigned *id, const char **rest)
{
    char *stop;
    errno = 0;
    unsigned long value = strtoul(text, &stop, 10);
    if (errno || stop == text || *text < '0' || *text > '9' || *stop != end || value >= UINT_MAX)
        return false;
    *id = (unsigned)value;
    *rest = stop + 1;
    return true;
}

static int parse_user(struct mount_options *options, const char *text, struct error **error)
{
    const char *rest;
    if (!parse_id(text, ':', &options->launch.user, &rest) ||
        !parse_id(rest, '\0', &options->launch.group, &rest))
        return error_set(error, 0, "'%s' is not UID:GID; write two numbers, as in 1000:1000", text);
    options->launch.for_user = true;
    return 0;
}

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    struct mount_options *options = context;
    if (command_is_help(&mount_command, row))
        return 0;
    if (row->letter == 'c')
        options->config = argument;
    else if (row->letter == 'f')
        options->launch.foreground = true;
    else if (strcmp(row->name, "allow-other") == 0)
        options->launch.for_all = true;
    else if (strcmp(row->name, "source") == 0)
        options->source = argument;
    else if (strcmp(row->name, "preset") == 0)
        add_text(&options->presets, &options->preset_count, argument);
    else if (strcmp(row->name, "rule") == 0)
        add_text(&options->rules, &options->rule_count, argument);
    else
        return parse_user(options, argument, error);
    return 0;
}

static struct config *load(const struct mount_options *options)
{
    static const char *const none[] = {NULL};
    if (!options->source) {
        cleanup_free char *file = command_config_path(&mount_command, options->config);
        return file ? command_load(&mount_command, file) : NULL;
    }
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    struct config *config =
        config_from_options("adhoc", options->source, options->presets ? options->presets : none,
                            options->rules ? options->rules : none, &diagnostics);
    if (!config)
        diagnostics_print(&diagnostics, stderr);
    return config;
}

static const char *usage_problem(const struct mount_options *options, int operands)
{
    if (options->launch.for_all && options->launch.for_user)
        return "--allow-other and --for-user exclude each other";
    if (options->source && options->config)
        return "--source and --config exclude each other";
    if (options->source && operands != 1)
        return "with --source, give exactly one MOUNTPOINT";
    if (!options->source && (options->presets || options->rules))
        return "--preset and --rule go with --source; with an ini file, write them there";
    if (!options->source && (operands < 1 || operands > 2))
        return "give a SCOPE and at most one MOUNTPOINT";
    return NULL;
}

int command_mount(int argc, char **argv)
{
    struct mount_options options = {0};
    /* What the caller left open is none of a daemon's business. */
    close_range(STDERR_FILENO + 1, ~0u, 0);
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&mount_command, argc, argv, take_option, &options, &error);
    const char *problem = operands < 0 ? error->message : usage_problem(&options, operands);
    int status = STATUS_FAILED;
    if (problem) {
        status = command_usage(&mount_command, problem);
    } else {
        struct config *config = load(&options);
        struct launch *launch = &options.launch;
        launch->place = options.source ? argv[1] : (operands == 2 ? argv[2] : NULL);
        launch->config_file = config && !options.source ? config->file : NULL;
        launch->config_digest = config ? config->digest : 0;
        launch->scope =
            config ? config_scope(config, options.source ? "adhoc" : argv[1], &error) : NULL;
        if (launch->scope && launch_view(launch, &error) == 0)
            status = STATUS_OK;
        else if (config)
            status = command_fail(&mount_command, error);
        config_free(config);
    }
    free(options.presets);
    free(options.rules);
    return status;
}
