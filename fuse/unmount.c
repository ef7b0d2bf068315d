#include "unmount.h"

#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static int refuse_busy(const char *point, struct error **error)
{
    cleanup_strbuf struct strbuf users = {0};
    users_of_mount(point, &users);
    return error_set(error, 0, "%s is in use%s%s; stop what runs in it, or add --lazy", point,
                     users.length ? " by " : "", users.length ? users.bytes : "");
}

/* fusermount3 has said why on standard error. */
static int refuse_as_user(const char *point, bool lazy, struct error **error)
{
    cleanup_strbuf struct strbuf users = {0};
    users_of_mount(point, &users);
    if (users.length && !lazy)
        return error_set(error, 0, "%s is in use by %s; stop what runs in it, or add --lazy", point,
                         users.bytes);
    return error_set(error, 0, "fusermount3 could not unmount %s%s", point,
                     lazy ? "" : "; if it is in use, add --lazy");
}

static int unmount_as_root(const char *point, bool lazy, struct error **error)
{
    if (umount2(point, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0)
        return 0;
    if (errno == EBUSY)
        return refuse_busy(point, error);
    return error_set(error, errno, "cannot unmount %s", point);
}

int unmount_view(const char *point, bool lazy, struct error **error)
{
    if (geteuid() == 0)
        return unmount_as_root(point, lazy, error);
    const char *const plain[] = {"fusermount3", "-u", "--", point, NULL};
    const char *const detaching[] = {"fusermount3", "-u", "-z", "--", point, NULL};
    pid_t child;
    int status;
    /* posix_spawn(3) does not change the strings, whatever its prototype says. */
    int failed = posix_spawnp(&child, "fusermount3", NULL, NULL,
                              (char *const *)(lazy ? detaching : plain), environ);
    if (failed)
        return error_set(error, failed, "cannot run fusermount3; install the package fuse3");
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(error, errno, "lost fusermount3");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return refuse_as_user(point, lazy, error);
    return 0;
}
