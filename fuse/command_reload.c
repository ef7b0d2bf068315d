#include "commands.h"
#include "control.h"
#include "mount_point.h"
#include "roster.h"

#include "scopefs/mem.h"
#include "scopefs/mount_table.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "take the rules from this file instead of the one it was mounted from"},
    HELP_ROW,
    {0},
};

const struct command reload_command = {
    .name = "scopefs reload",
    .synopsis = "[-c FILE] [SCOPE|MOUNTPOINT]...",
    .purpose = "Gives mounted views new rules: those that are named, or all of the file. With an "
               "error in the file the old rules stay. When it "
               "returns, nothing is judged by the old rules any more.",
    .options = option_rows,
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    (void)error;
    if (!command_is_help(&reload_command, row))
        *(const char **)context = argument;
    return 0;
}

static int reload_view(const struct mount_row *row, const char *words)
{
    cleanup_error struct error *error = NULL;
    cleanup_strbuf struct strbuf reply = {0};
    if (control_ask(row, words, &reply, &error) == 0)
        return STATUS_OK;
    if (error)
        return command_fail(&reload_command, error);
    fprintf(stderr, "%s\n%s: the rules of %s stay as they were\n", reply.bytes, reload_command.name,
            row->point);
    return STATUS_FAILED;
}

static bool is_meant(const struct mount_row *row, const char *operand, const char *path)
{
    bool by_path = path && strcmp(row->point, path) == 0;
    bool by_name = !strchr(operand, '/') && strcmp(row->source, operand) == 0;
    return mount_row_is_view(row) && (by_path || by_name);
}

static int reload_named(const char *operand, const char *words)
{
    cleanup_error struct error *error = NULL;
    cleanup_mount_table struct mount_table table = {0};
    if (mount_table_read(&table, &error) < 0)
        return command_fail(&reload_command, error);
    cleanup_free char *path = mount_point_clean_path(operand, NULL);
    int status = STATUS_OK;
    size_t found = 0;
    for (size_t i = 0; i < table.count; i++) {
        if (!is_meant(&table.rows[i], operand, path))
            continue;
        found++;
        if (reload_view(&table.rows[i], words) != STATUS_OK)
            status = STATUS_FAILED;
    }
    if (found)
        return status;
    error_set(&error, 0, "'%s' is neither a mounted scope nor the mount point of a view", operand);
    return command_fail(&reload_command, error);
}

/* All that were mounted from this file. */
static int reload_file(const char *file)
{
    cleanup_error struct error *error = NULL;
    cleanup_roster struct roster roster = {0};
    cleanup_free char *whole = command_config_path(&reload_command, file);
    if (!whole)
        return STATUS_FAILED;
    if (roster_read(&roster, &error) < 0)
        return command_fail(&reload_command, error);
    int status = STATUS_OK;
    for (size_t i = 0; i < roster.count; i++) {
        const struct roster_view *view = &roster.views[i];
        if (view->has_record && strcmp(view->record.config, whole) == 0 &&
            reload_view(view->row, "reload") != STATUS_OK)
            status = STATUS_FAILED;
    }
    return status;
}

int command_reload(int argc, char **argv)
{
    const char *file = NULL;
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&reload_command, argc, argv, take_option, &file, &error);
    if (operands < 0)
        return command_usage(&reload_command, error->message);
    if (operands == 0)
        return reload_file(file);
    cleanup_free char *whole = file ? realpath(file, NULL) : NULL;
    if (file && !whole) {
        error_set(&error, errno, "cannot find %s", file);
        return command_fail(&reload_command, error);
    }
    cleanup_free char *words = whole ? xasprintf("reload %s", whole) : xstrdup("reload");
    int status = STATUS_OK;
    for (int i = 1; i <= operands; i++)
        if (reload_named(argv[i], words) != STATUS_OK)
            status = STATUS_FAILED;
    return status;
}
