#include "mount_point.h"

#include "folding.h"
#include "made_place.h"
#include "resolve.h"
#include "roster.h"
#include "run_file.h"
#include "scopefs/mount_table.h"
#include "unmount.h"
#include "view_life.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

int mount_point_open_source(const struct scope *scope, struct error **error)
{
    cleanup_fd int fd = resolve_source(scope->source);
    if (fd < 0)
        return error_set(error, -fd, "scope %s: cannot open its source %s", scope->name,
                         scope->source);
    if (!scope->ignore_case && folding_source(fd))
        return error_set(error, 0,
                         "scope %s: the source %s takes upper and lower case for the same, so that "
                         "a rule for one spelling would miss another; set 'case = ignore'",
                         scope->name, scope->source);
    return fd_steal(&fd);
}

static bool is_below(const char *place, const char *other)
{
    size_t length = strlen(other);
    return strncmp(place, other, length) == 0 && (place[length] == '/' || place[length] == '\0');
}

static int check_apart(const struct mount_table *table, const struct mount_point *point,
                       int source_fd, struct error **error)
{
    cleanup_free char *source = mount_table_place(table, source_fd, error);
    cleanup_free char *place = source ? mount_table_place(table, point->fd, error) : NULL;
    if (!place)
        return -1;
    if (is_below(place, source))
        return error_set(error, 0, "the mount point %s is inside the source; choose one outside it",
                         point->path);
    if (is_below(source, place))
        return error_set(error, 0,
                         "the source is inside the mount point %s, which would hide it; choose "
                         "another mount point",
                         point->path);
    return 0;
}

static int check_empty(const struct mount_point *point, struct error **error)
{
    int fd = openat(point->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        error_set(error, errno, "cannot read the mount point %s", point->path);
        fd_close(&fd);
        return -1;
    }
    bool empty = true;
    for (const struct dirent *found; empty && (found = readdir(directory));)
        empty = strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0;
    closedir(directory);
    return empty ? 0
                 : error_set(error, 0, "the mount point %s is not empty; choose an empty directory",
                             point->path);
}

char *mount_point_clean_path(const char *path, struct error **error)
{
    cleanup_free char *copy = xstrdup(path);
    size_t length = strlen(copy);
    while (length > 1 && copy[length - 1] == '/')
        copy[--length] = '\0';
    char *slash = strrchr(copy, '/');
    const char *leaf = slash ? slash + 1 : copy;
    if (strcmp(copy, "/") == 0 || !*leaf || strcmp(leaf, ".") == 0 || strcmp(leaf, "..") == 0) {
        char *whole = realpath(path, NULL);
        if (!whole)
            error_set(error, errno, "cannot find the mount point %s", path);
        return whole;
    }
    cleanup_free char *parent = slash ? xmemdup0(copy, (size_t)(slash - copy)) : xstrdup(".");
    cleanup_free char *resolved = realpath(*parent ? parent : "/", NULL);
    if (!resolved) {
        error_set(error, errno, "cannot find the folder of the mount point %s", path);
        return NULL;
    }
    return xasprintf("%s/%s", strcmp(resolved, "/") ? resolved : "", leaf);
}

/* Makes the directory and those above it. */
static int make_directories(const char *path, struct error **error)
{
    cleanup_free char *copy = xstrdup(path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            return error_set(error, errno, "cannot create %s", copy);
        *slash = '/';
    }
    if (mkdir(copy, 0755) < 0 && errno != EEXIST)
        return error_set(error, errno, "cannot create the mount point %s", copy);
    return 0;
}

static int open_directory(struct mount_point *point, struct error **error)
{
    point->fd = open(point->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (point->fd < 0 && errno == ENOENT)
        return error_set(error, 0, "the mount point %s does not exist; create it with mkdir",
                         point->path);
    if (point->fd < 0)
        return error_set(error, errno, "cannot use the mount point %s", point->path);
    char *real = realpath(point->path, NULL);
    if (!real)
        return error_set(error, errno, "cannot use the mount point %s", point->path);
    free(point->path);
    point->path = real;
    return 0;
}

static int check_unused(const char *path, struct error **error)
{
    cleanup_mount_table struct mount_table table = {0};
    if (mount_table_read(&table, error) < 0)
        return -1;
    const struct mount_row *row = mount_table_at(&table, path);
    if (!mount_row_is_view(row))
        return 0;
    struct roster_view view = {.row = row};
    cleanup_fd int folder_fd = run_folder_open(NULL);
    cleanup_free char *name = run_file_name(row);
    view.has_record = folder_fd >= 0 && run_record_read(folder_fd, name, &view.record);
    enum view_life life = view_life(&view);
    cleanup_free char *process =
        view.has_record ? xasprintf(" (process %ld)", (long)view.record.supervisor) : xstrdup("");
    run_record_free(&view.record);
    if (life != VIEW_LIVES)
        return life == VIEW_IS_DEAD ? unmount_view(path, true, error) : 0;
    return error_set(error, 0,
                     "%s already is a view, of scope %s%s; 'scopefs umount %s' takes it away", path,
                     row->source, process, path);
}

static int open_checked(const char *path, bool create, int source_fd, struct mount_point *point,
                        struct error **error)
{
    cleanup_mount_table struct mount_table table = {0};
    bool is_missing = create && access(path, F_OK) < 0 && errno == ENOENT;
    if (create)
        point->made_fd = is_missing ? made_place_note(path) : made_place_take_up(path);
    if (is_missing && make_directories(path, error) < 0)
        return -1;
    point->path = mount_point_clean_path(path, error);
    if (!point->path || check_unused(point->path, error) < 0 || open_directory(point, error) < 0)
        return -1;
    /* The path may have been a symlink to a view. */
    if (check_unused(point->path, error) < 0 || mount_table_read(&table, error) < 0 ||
        check_apart(&table, point, source_fd, error) < 0)
        return -1;
    return check_empty(point, error);
}

int mount_point_open(const char *path, bool create, int source_fd, struct mount_point *point,
                     struct error **error)
{
    *point = (struct mount_point){.fd = -1, .made_fd = -1};
    if (open_checked(path, create, source_fd, point, error) == 0)
        return 0;
    mount_point_close(point);
    return -1;
}

void mount_point_remove(struct mount_point *point)
{
    if (point->made_fd >= 0)
        made_place_remove(&point->made_fd, point->path);
}

void mount_point_close(struct mount_point *point)
{
    mount_point_remove(point);
    mount_point_leave(point);
}

void mount_point_leave(struct mount_point *point)
{
    fd_close(&point->fd);
    fd_close(&point->made_fd);
    free(point->path);
    *point = (struct mount_point){.fd = -1, .made_fd = -1};
}
