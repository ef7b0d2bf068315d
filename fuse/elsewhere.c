#include "elsewhere.h"

#include "users.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The inode number of a process's mount namespace; 0 when that may not be known. */
static ino_t namespace_of(int processes_fd, const char *process)
{
    struct stat found;
    cleanup_free char *path = xasprintf("%s/ns/mnt", process);
    return fstatat(processes_fd, path, &found, 0) == 0 ? found.st_ino : 0;
}

static void add_views(struct elsewhere *elsewhere, const char *process)
{
    cleanup_mount_table struct mount_table table = {0};
    if (mount_table_read_process(&table, process, NULL) < 0)
        return;
    for (size_t i = 0; i < table.count; i++) {
        const struct mount_row *row = &table.rows[i];
        if (!mount_row_is_view(row))
            continue;
        elsewhere->views =
            xreallocarray(elsewhere->views, elsewhere->count + 1, sizeof(*elsewhere->views));
        elsewhere->views[elsewhere->count++] = (struct elsewhere_view){
            .major = row->major,
            .minor = row->minor,
            .point = xstrdup(row->point),
            .process = (pid_t)strtol(process, NULL, 10),
        };
    }
}

/* Namespaces that were looked at. */
struct seen {
    ino_t *items;
    size_t count;
};

static bool is_new(struct seen *seen, ino_t name)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->items[i] == name)
            return false;
    seen->items = xreallocarray(seen->items, seen->count + 1, sizeof(*seen->items));
    seen->items[seen->count++] = name;
    return true;
}

void elsewhere_read(struct elsewhere *elsewhere)
{
    struct seen seen = {0};
    DIR *processes = opendir("/proc");
    *elsewhere = (struct elsewhere){0};
    if (!processes)
        return;
    is_new(&seen, namespace_of(dirfd(processes), "self"));
    is_new(&seen, 0);
    for (const struct dirent *entry; (entry = readdir(processes));)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            is_new(&seen, namespace_of(dirfd(processes), entry->d_name)))
            add_views(elsewhere, entry->d_name);
    closedir(processes);
    free(seen.items);
}

void elsewhere_free(struct elsewhere *elsewhere)
{
    for (size_t i = 0; i < elsewhere->count; i++)
        free(elsewhere->views[i].point);
    free(elsewhere->views);
    *elsewhere = (struct elsewhere){0};
}

static bool is_of(const struct elsewhere_view *view, const struct mount_row *row)
{
    return view->major == row->major && view->minor == row->minor;
}

size_t elsewhere_count_sandboxes(const struct elsewhere *elsewhere, const struct mount_row *row)
{
    size_t count = 0;
    pid_t last = 0;
    for (size_t i = 0; i < elsewhere->count; i++) {
        const struct elsewhere_view *view = &elsewhere->views[i];
        if (!is_of(view, row) || strcmp(view->point, row->point) == 0 || view->process == last)
            continue;
        last = view->process;
        count++;
    }
    return count;
}

bool elsewhere_is_used(const struct elsewhere *elsewhere, const struct mount_row *row,
                       struct strbuf *users)
{
    size_t before = users->length;
    bool has_copy = false;
    for (size_t i = 0; i < elsewhere->count; i++) {
        const struct elsewhere_view *view = &elsewhere->views[i];
        if (!is_of(view, row))
            continue;
        if (strcmp(view->point, row->point) == 0)
            has_copy = true;
        else
            users_add_process(view->process, users);
    }
    if (has_copy && users->length == before)
        users_of_mount(row->point, users);
    return users->length > before;
}
