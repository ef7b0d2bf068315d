#include "source_folder.h"

#include "resolve.h"
#include "scopefs/audit_file.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_AT_MOST = 4096 };

static int make_above(const char *path, struct error **error)
{
    cleanup_free char *copy = xstrdup(path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            return error_set(error, errno, "cannot create %s", copy);
        *slash = '/';
    }
    return 0;
}

int source_folder_make(const struct scope *scope, uid_t user, gid_t group, struct error **error)
{
    if (make_above(scope->source, error) < 0)
        return -1;
    if (mkdir(scope->source, 0755) < 0)
        return errno == EEXIST ? 0
                               : error_set(error, errno, "scope %s: cannot create its source %s",
                                           scope->name, scope->source);
    if (lchown(scope->source, user, group) == 0)
        return 0;
    error_set(error, errno, "scope %s: cannot give its source to user %u", scope->name, user);
    rmdir(scope->source);
    return -1;
}

static int empty(struct view *place, int fd, unsigned depth, struct error **error);

static int remove_entry(struct view *place, int folder_fd, const char *name, unsigned depth,
                        struct error **error)
{
    if (unlinkat(folder_fd, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return error_set(error, errno, "cannot remove %s", name);
    int fd = resolve_in(place, folder_fd, name, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return error_set(error, -fd, "cannot remove %s", name);
    if (empty(place, fd, depth + 1, error) < 0)
        return error_wrap(error, "%s", name);
    if (unlinkat(folder_fd, name, AT_REMOVEDIR) < 0)
        return error_set(error, errno, "cannot remove %s", name);
    return 0;
}

/* Takes the descriptor over. */
static int empty(struct view *place, int fd, unsigned depth, struct error **error)
{
    DIR *folder = fdopendir(fd);
    if (!folder || depth > DEPTH_AT_MOST) {
        if (folder)
            closedir(folder);
        else
            fd_close(&fd);
        return error_set(error, 0, "a folder is too deep to be removed");
    }
    int failed = 0;
    for (const struct dirent *entry; failed == 0 && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            failed = remove_entry(place, dirfd(folder), entry->d_name, depth, error);
    closedir(folder);
    return failed;
}

static void remove_records(const struct scope *scope)
{
    cleanup_fd int runtime_fd = runtime_open(NULL);
    cleanup_free char *log = xasprintf(".%s.log", scope->name);
    if (runtime_fd < 0)
        return;
    unlinkat(runtime_fd, log, 0);
    for (unsigned generation = 0; generation < AUDIT_GENERATIONS; generation++) {
        cleanup_free char *name = audit_file_name(scope->name, generation);
        unlinkat(runtime_fd, name, 0);
    }
}

static bool holds(const char *folder, const char *file)
{
    cleanup_free char *real = realpath(folder, NULL);
    size_t length = real ? strlen(real) : 0;
    return real && strncmp(file, real, length) == 0 && file[length] == '/';
}

int source_folder_purge(const struct scope *scope, const char *config_file, struct error **error)
{
    struct view place = {.root_fd = -1};
    if (!scope->create)
        return error_set(error, 0,
                         "scope %s does not say 'create = yes', so its source is not removed",
                         scope->name);
    if (holds(scope->source, config_file))
        return error_set(error, 0, "the source of scope %s holds the configuration %s itself",
                         scope->name, config_file);
    remove_records(scope);
    int fd = open(scope->source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_set(error, errno, "cannot remove %s", scope->source);
    if (empty(&place, fd, 0, error) < 0)
        return error_wrap(error, "%s", scope->source);
    return rmdir(scope->source) == 0 ? 0
                                     : error_set(error, errno, "cannot remove %s", scope->source);
}
