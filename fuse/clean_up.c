#include "clean_up.h"

#include "clean_sessions.h"
#include "made_place.h"
#include "orphans.h"
#include "roster.h"
#include "unmount.h"
#include "view_life.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"
#include "scopefs/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

struct cleaning {
    void (*tell)(const char *line);
    struct roster roster;
    char *runtime;
};

static void say(const struct cleaning *cleaning, const char *what, const char *path)
{
    cleanup_strbuf struct strbuf line = {0};
    strbuf_add_format(&line, "%s ", what);
    strbuf_add_quoted(&line, path, strlen(path));
    if (cleaning->tell)
        cleaning->tell(line.bytes);
}

/* Root mounts views for others, whose run files are its own; others mount theirs for themselves. */
static bool is_own(const struct roster_view *view)
{
    return view->has_record || view->row->user == geteuid();
}

static void remove_dead_views(const struct cleaning *cleaning, enum clean_views which)
{
    for (size_t i = cleaning->roster.count; i-- > 0;) {
        const struct roster_view *view = &cleaning->roster.views[i];
        cleanup_error struct error *error = NULL;
        if ((which != CLEAN_ALL_VIEWS && !is_own(view)) || view_life(view) != VIEW_IS_DEAD)
            continue;
        if (unmount_view(view->row->point, true, &error) < 0) {
            say(cleaning, "could not unmount the dead view", view->row->point);
            continue;
        }
        say(cleaning, "unmounted the dead view", view->row->point);
    }
}

/* The lock tells whether a supervisor has it, and keeps a new one from taking it meanwhile. */
static bool remove_run_file(int folder_fd, const char *name)
{
    cleanup_fd int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    cleanup_free char *socket_name = xasprintf("%s.sock", name);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
        return false;
    bool removed = unlinkat(folder_fd, socket_name, 0) == 0;
    return unlinkat(folder_fd, name, 0) == 0 || removed;
}

static void remove_run_files(const struct cleaning *cleaning, int folder_fd)
{
    cleanup_mount_table struct mount_table table = {0};
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = fd < 0 ? NULL : fdopendir(fd);
    if (!files || mount_table_read(&table, NULL) < 0) {
        if (files)
            closedir(files);
        else
            fd_close(&fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(files));) {
        cleanup_free char *name = xstrdup(entry->d_name);
        char *suffix = strstr(name, ".sock");
        if (suffix)
            *suffix = '\0';
        if (name[0] >= '0' && name[0] <= '9' && !run_file_is_mounted(&table, name) &&
            remove_run_file(folder_fd, name))
            say(cleaning, "removed the run file", name);
    }
    closedir(files);
}

/* .exec-SCOPE-PID or .exec-SCOPE-PID-N: whether the helper that made it still runs. */
static bool helper_lives(const char *folder)
{
    cleanup_free char *copy = xstrdup(folder);
    /* The scope's name may end in digits, so both readings of the end are tried. */
    for (int reading = 0; reading < 2; reading++) {
        char name[64] = "", *dash = strrchr(copy, '-');
        if (!dash)
            return false;
        cleanup_free char *path = xasprintf("/proc/%s/comm", dash + 1);
        cleanup_fd int fd = strspn(dash + 1, "0123456789") == strlen(dash + 1)
                                ? open(path, O_RDONLY | O_CLOEXEC)
                                : -1;
        if (fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 && strncmp(name, "scopefs", 7) == 0)
            return true;
        *dash = '\0';
    }
    return false;
}

static void remove_private_folders(const struct cleaning *cleaning, int runtime_fd)
{
    int fd = openat(runtime_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folders = fd < 0 ? NULL : fdopendir(fd);
    if (!folders) {
        fd_close(&fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folders));) {
        if (strncmp(entry->d_name, ".exec-", 6) != 0 || helper_lives(entry->d_name))
            continue;
        cleanup_free char *path = xasprintf("%s/%s", cleaning->runtime, entry->d_name);
        const struct roster_view *view = roster_at(&cleaning->roster, path);
        if (view)
            unmount_view(path, true, NULL);
        if (unlinkat(runtime_fd, entry->d_name, AT_REMOVEDIR) == 0)
            say(cleaning, "removed the private view", path);
    }
    closedir(folders);
}

static void tell_place(void *data, const char *path)
{
    say(data, "removed the mount point", path);
}

static void tell_session(void *data, const char *name)
{
    say(data, "removed the dead session", name);
}

static void tell_orphan(void *data, const char *process)
{
    say(data, "ended the sandbox that never started, process", process);
}

int clean_up(enum clean_views views, void (*tell)(const char *line), struct error **error)
{
    struct cleaning cleaning = {.tell = tell};
    cleanup_free char *runtime = runtime_path();
    cleanup_fd int runtime_fd = runtime_open(error);
    cleanup_fd int folder_fd = runtime_fd < 0 ? -1 : run_folder_open(error);
    if (folder_fd < 0 || roster_read(&cleaning.roster, error) < 0)
        return -1;
    cleaning.runtime = runtime;
    if (views != CLEAN_NO_VIEWS)
        remove_dead_views(&cleaning, views);
    orphans_end(tell_orphan, &cleaning);
    made_places_clean(tell_place, &cleaning);
    remove_private_folders(&cleaning, runtime_fd);
    clean_sessions(runtime_fd, tell_session, &cleaning);
    remove_run_files(&cleaning, folder_fd);
    roster_free(&cleaning.roster);
    return 0;
}
