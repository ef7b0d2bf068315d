#include "view_mount.h"

#include "process.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/mount_table.h"
#include "scopefs/runtime.h"
#include "scopefs/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRIVATE_FOLDER_ATTEMPTS 100
#define RUN_FILE_LIMIT          65536

/* As the mount table writes it. The last component is not looked at: root may not look at another
 * user's view. */
static char *resolve_all_but_last(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return xstrdup(path);
    cleanup_free char *folder = xmemdup0(path, (size_t)(slash - path));
    cleanup_free char *resolved = realpath(folder, NULL);
    if (!resolved)
        return xstrdup(path);
    return xasprintf("%s%s", strcmp(resolved, "/") == 0 ? "" : resolved, slash);
}

/* The number of the file system, which everybody may ask for, also where a view is another user's:
 * statx(2) without a mask. */
static bool has_device(int fd, const struct mount_row *row)
{
    struct statx found;
    return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &found) == 0 &&
           found.stx_dev_major == row->major && found.stx_dev_minor == row->minor;
}

/* Takes over what the mount table says of view->path, when it is a whole view for that user. The
 * number of its file system stays its own for as long as somebody has it open: what has that number
 * in the sandbox is then this very view. */
static int find_in_table(struct view_mount *view, const struct scope *scope,
                         const struct identity *identity, struct error **error)
{
    cleanup_mount_table struct mount_table table = {0};
    if (mount_table_read(&table, error) < 0)
        return -1;
    cleanup_free char *point = resolve_all_but_last(view->path);
    const struct mount_row *row = mount_table_at(&table, point);
    cleanup_fd int pin = open(point, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (!mount_row_is_view(row) || strcmp(row->root, "/") != 0 ||
        strcmp(row->source, scope->name) != 0 || row->user != identity->uid || pin < 0 ||
        !has_device(pin, row))
        return 0;
    view->pin = fd_steal(&pin);
    view->is_mounted = true;
    view->device_major = row->major;
    view->device_minor = row->minor;
    return 0;
}

/* A view's root has the inode number of its source. */
static bool shows_source(const char *path, const char *source)
{
    struct stat shown, wanted;
    return stat(path, &shown) == 0 && stat(source, &wanted) == 0 && shown.st_ino == wanted.st_ino;
}

/* Whether the view there is alive and of this scope: another ini file may have one of that name.
 * Only the user whom it is for can see that. */
static bool is_view_of(const char *path, const struct scope *scope, const struct identity *identity)
{
    struct stat wanted;
    if (!identity->differs)
        return shows_source(path, scope->source);
    if (stat(scope->source, &wanted) < 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        struct stat shown;
        bool same = identity_become(identity) == 0 && stat(path, &shown) == 0 &&
                    shown.st_ino == wanted.st_ino;
        _exit(same ? 0 : 1);
    }
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* The run file that `scopefs mount` leaves for a mounted view, RUNTIME/.run/MAJOR:MINOR, names the
 * configuration. A view without one, or of another file, may have other rules. */
static bool is_of_config(const struct view_mount *view, const char *config_file)
{
    cleanup_free char *folder = runtime_path();
    cleanup_free char *path =
        xasprintf("%s/.run/%u:%u", folder, view->device_major, view->device_minor);
    cleanup_free char *resolved = realpath(config_file, NULL);
    cleanup_free char *contents = NULL;
    cleanup_strbuf struct strbuf line = {0};
    size_t size;
    cleanup_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (!resolved || fd < 0 || fd_read_file(fd, RUN_FILE_LIMIT, &contents, &size) < 0)
        return false;
    strbuf_add_text(&line, "\nconfig = ");
    strbuf_add_quoted(&line, resolved, strlen(resolved));
    strbuf_add_text(&line, "\n");
    return strstr(contents, line.bytes) != NULL;
}

static void drop_pin(struct view_mount *view)
{
    if (view->pin)
        close(view->pin);
    view->pin = 0;
}

int view_mount_look(struct view_mount *view, const struct scope *scope, const char *config_file,
                    const struct identity *identity, struct error **error)
{
    *view = (struct view_mount){0};
    view->path = scope->mount ? xstrdup(scope->mount) : runtime_mount_path(scope->name);
    if (find_in_table(view, scope, identity, error) < 0) {
        free(steal_pointer(view->path));
        return -1;
    }
    if (view->is_mounted)
        view->is_mounted =
            is_of_config(view, config_file) && is_view_of(view->path, scope, identity);
    if (!view->is_mounted)
        drop_pin(view);
    return 0;
}

/* A folder of its own for each helper; what a killed one left behind is stepped around. */
static char *make_private_folder(const char *scope_name, struct error **error)
{
    cleanup_free char *folder = runtime_path();
    cleanup_fd int runtime = runtime_open(error);
    if (runtime < 0)
        return NULL;
    for (int attempt = 0; attempt < PRIVATE_FOLDER_ATTEMPTS; attempt++) {
        cleanup_free char *suffix = attempt ? xasprintf("-%d", attempt) : xstrdup("");
        cleanup_free char *name = xasprintf(".exec-%s-%d%s", scope_name, getpid(), suffix);
        if (mkdirat(runtime, name, 0700) == 0)
            return xasprintf("%s/%s", folder, name);
        if (errno != EEXIST)
            break;
    }
    error_set(error, errno, "cannot create a folder in %s", folder);
    return NULL;
}

static int run_scopefs_mount(const char *path, const struct scope *scope, const char *config_file,
                             const struct identity *identity, int interrupt_fd,
                             struct error **error)
{
    cleanup_free char *program = runtime_program("scopefs");
    cleanup_free char *owner = xasprintf("%u:%u", identity->uid, identity->gid);
    const char *arguments[10];
    size_t count = 0;
    arguments[count++] = program;
    arguments[count++] = "mount";
    if (identity->differs) {
        arguments[count++] = "--for-user";
        arguments[count++] = owner;
    }
    arguments[count++] = "-c";
    arguments[count++] = config_file;
    arguments[count++] = "--";
    arguments[count++] = scope->name;
    arguments[count++] = path;
    arguments[count] = NULL;
    int status = process_run(arguments, STDERR_FILENO, interrupt_fd, error);
    if (status > 0)
        error_set(error, 0, "scope %s could not be mounted", scope->name);
    return status == 0 ? 0 : -1;
}

static int find_private_mount(struct view_mount *view, const struct scope *scope,
                              const struct identity *identity, struct error **error)
{
    if (find_in_table(view, scope, identity, error) < 0)
        return -1;
    if (!view->is_mounted)
        return error_set(error, 0, "%s is not the view that was mounted there", view->path);
    return 0;
}

int view_mount_open(struct view_mount *view, const struct scope *scope, const char *config_file,
                    const struct identity *identity, int interrupt_fd, struct error **error)
{
    if (view_mount_look(view, scope, config_file, identity, error) < 0)
        return -1;
    if (view->is_mounted)
        return 0;
    free(view->path);
    *view = (struct view_mount){.path = make_private_folder(scope->name, error)};
    if (!view->path)
        return -1;
    if (keeper_start(&view->keeper, view->path, error) < 0) {
        rmdir(view->path);
        free(steal_pointer(view->path));
        return -1;
    }
    if (run_scopefs_mount(view->path, scope, config_file, identity, interrupt_fd, error) == 0 &&
        find_private_mount(view, scope, identity, error) == 0)
        return 0;
    view_mount_close(view, NULL);
    return -1;
}

int view_mount_use(struct view_mount *view, const struct scope *scope, const char *config_file,
                   const struct identity *identity, struct error **error)
{
    if (view_mount_look(view, scope, config_file, identity, error) < 0)
        return -1;
    if (view->is_mounted)
        return 0;
    view_mount_close(view, NULL);
    return error_set(error, 0, "--view %s: there is no view of scope %s from %s", scope->mount,
                     scope->name, config_file);
}

int view_mount_close(struct view_mount *view, struct error **error)
{
    drop_pin(view);
    int result = view->keeper.process ? keeper_finish(&view->keeper, error) : 0;
    free(view->path);
    *view = (struct view_mount){0};
    return result;
}
