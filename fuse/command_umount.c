#include "commands.h"
#include "mount_point.h"
#include "run_file.h"
#include "unmount.h"
#include "view_end.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/mount_table.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static const struct option_row option_rows[] = {
    {"lazy", 'l', NULL, "also when the view is in use; it goes when the last user is through"},
    HELP_ROW,
    {0},
};

const struct command umount_command = {
    .name = "scopefs umount",
    .synopsis = "[--lazy] MOUNTPOINT|SCOPE",
    .purpose =
        "Unmounts a view, or all views of a scope, and waits until their processes have ended.",
    .options = option_rows,
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    (void)argument;
    (void)error;
    if (!command_is_help(&umount_command, row))
        *(bool *)context = true;
    return 0;
}

/* The place as the mount table writes it. */
static char *clean_path(const char *path)
{
    char *whole = realpath(path, NULL);
    if (!whole)
        whole = mount_point_clean_path(path, NULL);
    return whole ? whole : xstrdup(path);
}

static bool may_unmount(const struct mount_row *row)
{
    return geteuid() == 0 || row->user == geteuid();
}

/* RUNTIME/.exec-SCOPE-PID, which scopefs-exec mounts for one command and takes away by itself. */
static bool is_private(const struct mount_row *row)
{
    const char *slash = strrchr(row->point, '/');
    return slash && strncmp(slash, "/.exec-", 7) == 0;
}

/* 0 when that is not known: nobody is waited for then. */
static pid_t supervisor_of(const struct mount_row *row)
{
    cleanup_fd int folder_fd = run_folder_open(NULL);
    cleanup_free char *name = run_file_name(row);
    struct run_record record = {0};
    if (folder_fd >= 0 && run_record_read(folder_fd, name, &record))
        free(record.config);
    return record.supervisor;
}

static int await_end(const struct mount_row *row, pid_t supervisor, struct error **error)
{
    if (view_end_wait(row, supervisor, view_end_deadline()))
        return 0;
    return error_set(error, 0, "%s is unmounted, but its supervisor has not ended", row->point);
}

/* A private view goes when its command was ended, which may take the sandbox a moment longer. */
static int unmount_row(const struct mount_row *row, bool lazy, struct error **error)
{
    cleanup_elsewhere struct elsewhere elsewhere = {0};
    pid_t supervisor = supervisor_of(row);
    int failed;
    if (lazy || is_private(row)) {
        failed = unmount_view(row->point, lazy, error);
    } else {
        elsewhere_read(&elsewhere);
        failed = view_end_begin(row, &elsewhere, error);
    }
    return failed < 0 || lazy ? failed : await_end(row, supervisor, error);
}

static int unmount_scope(const struct mount_table *table, const char *name, bool lazy,
                         struct error **error)
{
    size_t found = 0;
    for (size_t i = table->count; i-- > 0;) {
        const struct mount_row *row = &table->rows[i];
        if (!mount_row_is_view(row) || strcmp(row->source, name) != 0 || !may_unmount(row) ||
            is_private(row))
            continue;
        found++;
        if (unmount_row(row, lazy, error) < 0)
            return -1;
    }
    if (found == 0)
        return error_set(error, 0,
                         "no view of yours is mounted at '%s' or for a scope of that name", name);
    return 0;
}

static int unmount_operand(const char *operand, bool lazy, struct error **error)
{
    cleanup_mount_table struct mount_table table = {0};
    if (mount_table_read(&table, error) < 0)
        return -1;
    cleanup_free char *path = clean_path(operand);
    const struct mount_row *row = mount_table_at(&table, path);
    if (mount_row_is_view(row))
        return unmount_row(row, lazy, error);
    if (strchr(operand, '/'))
        return error_set(error, 0, "%s is not a mounted view", operand);
    return unmount_scope(&table, operand, lazy, error);
}

int command_umount(int argc, char **argv)
{
    bool lazy = false;
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&umount_command, argc, argv, take_option, &lazy, &error);
    if (operands < 0)
        return command_usage(&umount_command, error->message);
    if (operands != 1)
        return command_usage(&umount_command, "give one MOUNTPOINT or SCOPE");
    return unmount_operand(argv[1], lazy, &error) < 0 ? command_fail(&umount_command, error)
                                                      : STATUS_OK;
}
