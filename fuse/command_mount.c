#include "commands.h"
#include "daemon.h"
#include "mount_point.h"
#include "run_file.h"
#include "session.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
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
    bool foreground, for_user, for_all;
    uid_t user;
    gid_t group;
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
    if (!parse_id(text, ':', &options->user, &rest) ||
        !parse_id(rest, '\0', &options->group, &rest))
        return error_set(error, 0, "'%s' is not UID:GID; write two numbers, as in 1000:1000", text);
    options->for_user = true;
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
        options->foreground = true;
    else if (strcmp(row->name, "allow-other") == 0)
        options->for_all = true;
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

/* Who may use the view, when root mounts it for somebody. */
static int find_user(const struct scope *scope, const struct mount_options *options,
                     struct session_plan *plan, struct error **error)
{
    if (!options->for_user && !scope->user)
        return 0;
    plan->user = options->user;
    plan->group = options->group;
    if (!options->for_user) {
        const struct passwd *entry = getpwnam(scope->user);
        if (!entry)
            return error_set(error, 0, "scope %s: there is no user '%s'; create it with useradd",
                             scope->name, scope->user);
        plan->user = entry->pw_uid;
        plan->group = entry->pw_gid;
    }
    plan->for_one_user = geteuid() == 0;
    if (!plan->for_one_user && plan->user != geteuid())
        return error_set(error, 0, "scope %s is for user %u; mount it as root or as that user",
                         scope->name, plan->user);
    return 0;
}

struct mounting {
    struct daemon daemon;
    struct session_plan plan;
};

static void started(void *data)
{
    struct mounting *mounting = data;
    log_info("%s: mounted on %s", mounting->plan.scope->name, mounting->plan.point->path);
    daemon_ready(&mounting->daemon);
}

static int serve(struct mounting *mounting, struct mount_point *point, struct error **error)
{
    mounting->plan.report_fd = mounting->daemon.report_fd;
    mounting->plan.on_start = started;
    mounting->plan.on_start_data = mounting;
    int result = session_run(&mounting->plan, error);
    if (result < 0)
        daemon_failed(&mounting->daemon, *error);
    else
        log_info("%s: unmounted", mounting->plan.scope->name);
    mount_point_close(point);
    return result;
}

/* Everything that can be wrong is found here, in the caller's process, before the daemon starts. */
static int prepare(const struct scope *scope, const char *place, struct mount_point *point,
                   struct error **error)
{
    bool configured = !place;
    cleanup_free char *standard = NULL;
    if (!place && !scope->mount) {
        cleanup_fd int runtime_fd = runtime_open(error);
        if (runtime_fd < 0)
            return -1;
        standard = runtime_mount_path(scope->name);
    }
    if (!place)
        place = scope->mount ? scope->mount : standard;
    cleanup_fd int source_fd = mount_point_open_source(scope, error);
    if (source_fd < 0 || mount_point_open(place, configured, source_fd, point, error) < 0)
        return -1;
    return fd_steal(&source_fd);
}

static int mount_scope(const struct config *config, const struct scope *scope, const char *place,
                       const struct mount_options *options, struct error **error)
{
    struct mounting mounting = {.daemon = {.report_fd = -1},
                                .plan = {.scope = scope, .for_all = options->for_all}};
    struct mount_point point;
    if (find_user(scope, options, &mounting.plan, error) < 0)
        return -1;
    cleanup_fd int source_fd = prepare(scope, place, &point, error);
    if (source_fd < 0)
        return -1;
    mounting.plan.source_fd = source_fd;
    mounting.plan.point = &point;
    cleanup_free char *config_file = options->source ? NULL : realpath(config->file, NULL);
    mounting.plan.config_file = config_file;
    if (options->foreground)
        return serve(&mounting, &point, error);

    cleanup_fd int log_fd = run_file_open_log(scope->name, error);
    int child = log_fd < 0 ? -1 : daemon_start(&mounting.daemon, error);
    if (child < 0 && log_fd < 0)
        mount_point_close(&point);
    else if (child != 0)
        mount_point_leave(&point);
    if (child != 0)
        return child < 0 ? -1 : 0;
    log_to(log_fd, LOG_LEVEL_INFO);
    int result = serve(&mounting, &point, error);
    _exit(result < 0 ? STATUS_FAILED : STATUS_OK);
}

static struct config *load(const struct mount_options *options)
{
    static const char *const none[] = {NULL};
    if (!options->source)
        return command_load(&mount_command, options->config);
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
    if (options->for_all && options->for_user)
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
        const struct scope *scope =
            config ? config_scope(config, options.source ? "adhoc" : argv[1], &error) : NULL;
        const char *place = options.source ? argv[1] : (operands == 2 ? argv[2] : NULL);
        if (scope && mount_scope(config, scope, place, &options, &error) == 0)
            status = STATUS_OK;
        else if (config)
            status = command_fail(&mount_command, error);
        config_free(config);
    }
    free(options.presets);
    free(options.rules);
    return status;
}
