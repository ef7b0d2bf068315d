#include "roster.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

int roster_read(struct roster *roster, struct error **error)
{
    *roster = (struct roster){0};
    cleanup_fd int folder_fd = run_folder_open(error);
    if (folder_fd < 0 || mount_table_read(&roster->table, error) < 0)
        return -1;
    roster->views = xcalloc(roster->table.count + 1, sizeof(*roster->views));
    for (size_t i = 0; i < roster->table.count; i++) {
        const struct mount_row *row = &roster->table.rows[i];
        /* One that is seen a second time, in a sandbox or behind a bind mount, is not another. */
        if (!mount_row_is_view(row) || strcmp(row->root, "/") != 0)
            continue;
        struct roster_view *view = &roster->views[roster->count++];
        cleanup_free char *name = run_file_name(row);
        view->row = row;
        view->has_record = run_record_read(folder_fd, name, &view->record);
    }
    return 0;
}

void roster_free(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++)
        run_record_free(&roster->views[i].record);
    free(roster->views);
    mount_table_free(&roster->table);
    *roster = (struct roster){0};
}

const struct roster_view *roster_at(const struct roster *roster, const char *point)
{
    for (size_t i = roster->count; i-- > 0;)
        if (strcmp(roster->views[i].row->point, point) == 0)
            return &roster->views[i];
    return NULL;
}

bool roster_view_is_of(const struct roster_view *view, const struct scope *scope,
                       const char *config_file)
{
    return view->has_record && strcmp(view->row->source, scope->name) == 0 &&
           strcmp(view->record.config, config_file) == 0;
}

/* statfs(2), because stat(2) would be answered from the kernel's cache for a while. */
static bool answers_nothing(const struct mount_row *row)
{
    struct statfs ignored;
    return statfs(row->point, &ignored) < 0 && errno == ENOTCONN;
}

/* A view answers only the user for whom it is; everybody else, even root, is told nothing. */
static bool answers_user_nothing(const struct mount_row *row)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        bool changed = setgroups(0, NULL) == 0 &&
                       setresgid(row->group, row->group, row->group) == 0 &&
                       setresuid(row->user, row->user, row->user) == 0;
        _exit(changed && answers_nothing(row) ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

bool roster_view_answers_nothing(const struct roster_view *view)
{
    if (view->row->user != geteuid())
        return geteuid() == 0 && answers_user_nothing(view->row);
    return answers_nothing(view->row);
}

bool roster_view_is_dead(const struct roster_view *view)
{
    return !(view->has_record && view->record.is_locked) && roster_view_answers_nothing(view);
}
