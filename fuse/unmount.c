#include "unmount.h"

#include "users.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <spawn.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Somebody who only looks at a view, as `scopefs ps` and desktops do, is through in a moment. */
enum { TRIES = 300, PAUSE_NS = 10 * 1000 * 1000 };

static int refuse_busy(const char *point, const struct strbuf *users, struct error **error)
{
    return error_set(error, 0, "%s is in use%s%s; stop what runs in it, or add --lazy", point,
                     users->length ? " by " : "", users->length ? users->bytes : "");
}

/* The mount point by a path in which no symlink is followed: the user whom the view is for may own
 * the folder around it, and put a link in its place that leads to somebody else's mount. */
static int open_folder(const char *point, const char **leaf, struct error **error)
{
    struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_NO_SYMLINKS,
    };
    const char *slash = strrchr(point, '/');
    *leaf = slash ? slash + 1 : point;
    cleanup_free char *folder = slash ? xmemdup0(point, (size_t)(slash + 1 - point)) : xstrdup(".");
    long fd = syscall(SYS_openat2, AT_FDCWD, folder, &how, sizeof(how));
    return fd < 0 ? error_set(error, errno, "cannot reach %s", point) : (int)fd;
}

static int unmount_as_root(const char *point, bool lazy, struct error **error)
{
    const char *leaf;
    cleanup_fd int folder_fd = open_folder(point, &leaf, error);
    if (folder_fd < 0)
        return -1;
    cleanup_free char *path = xasprintf("/proc/self/fd/%d/%s", folder_fd, leaf);
    for (unsigned tries = 1;; tries++) {
        cleanup_strbuf struct strbuf users = {0};
        if (umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0)
            return 0;
        if (errno != EBUSY)
            return error_set(error, errno, "cannot unmount %s", point);
        users_of_mount(point, &users);
        if (users.length || tries == TRIES)
            return refuse_busy(point, &users, error);
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
}

/* 0, 1 when it could not, or -1 with *error. Quiet, it does not say why on standard error. */
static int run_fusermount(const char *point, bool lazy, bool quiet, struct error **error)
{
    const char *words[7] = {"fusermount3", "-u"};
    size_t count = 2;
    if (lazy)
        words[count++] = "-z";
    if (quiet)
        words[count++] = "-q";
    words[count++] = "--";
    words[count] = point;
    pid_t child;
    int status;
    /* posix_spawn(3) does not change the strings, whatever its prototype says. */
    int failed = posix_spawnp(&child, "fusermount3", NULL, NULL, (char *const *)words, environ);
    if (failed)
        return error_set(error, failed, "cannot run fusermount3; install the package fuse3");
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(error, errno, "lost fusermount3");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static int unmount_as_user(const char *point, bool lazy, struct error **error)
{
    for (unsigned tries = 1;; tries++) {
        cleanup_strbuf struct strbuf users = {0};
        bool is_last = lazy || tries == TRIES;
        int failed = run_fusermount(point, lazy, !is_last, error);
        if (failed <= 0)
            return failed;
        users_of_mount(point, &users);
        if (users.length && !lazy)
            return refuse_busy(point, &users, error);
        if (is_last)
            return error_set(error, 0, "fusermount3 could not unmount %s%s", point,
                             lazy ? "" : "; if it is in use, add --lazy");
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
}

int unmount_view(const char *point, bool lazy, struct error **error)
{
    return geteuid() == 0 ? unmount_as_root(point, lazy, error)
                          : unmount_as_user(point, lazy, error);
}
