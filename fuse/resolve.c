#include "resolve.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* RESOLVE_BENEATH answers EAGAIN when a rename raced with "..", which no path here holds; the bound
 * only keeps a broken kernel from holding a worker for ever. */
enum { TRIES = 16 };

/* The server's limit of descriptors is nothing that the caller knows of. */
static int told(int number)
{
    return number == EMFILE ? ENFILE : number;
}

static int open_beneath(const struct view *view, int directory_fd, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)flags | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                   (view->submounts ? 0u : RESOLVE_NO_XDEV),
    };
    for (int i = 0; i < TRIES; i++) {
        long fd = syscall(SYS_openat2, directory_fd, *path ? path : ".", &how, sizeof(how));
        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            break;
    }
    switch (errno) {
    case EXDEV: /* another file system is mounted there and is not part of the view */
        return -EACCES;
    case ELOOP: /* a symlink, or a file, took the place of what the kernel knows there: ESTALE makes
                 */
    case ENOTDIR: /* it look the path up again */
        return -ESTALE;
    default:
        return -told(errno);
    }
}

/* The leading part of a long path that fits one system call, cut at a slash. */
static size_t step_length(const char *path, size_t length)
{
    if (length < PATH_MAX)
        return length;
    size_t step = PATH_MAX - 1;
    while (path[step] != '/')
        step--;
    return step;
}

static int open_in_steps(const struct view *view, int base_fd, char *path, size_t length, int flags)
{
    cleanup_fd int directory_fd = -1;
    while (length >= PATH_MAX) {
        size_t step = step_length(path, length);
        path[step] = '\0';
        int next = open_beneath(view, directory_fd < 0 ? base_fd : directory_fd, path,
                                O_PATH | O_DIRECTORY);
        if (next < 0)
            return next;
        fd_close(&directory_fd);
        directory_fd = next;
        path += step + 1;
        length -= step + 1;
    }
    return open_beneath(view, directory_fd < 0 ? base_fd : directory_fd, path, flags);
}

int resolve_source(const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int resolve_open(struct view *view, struct node *node, const char *name, int flags)
{
    cleanup_node_path struct node_path path;
    int failed = node_path(view->nodes, node, name, &path);
    if (failed)
        return -failed;
    int base_fd = path.base_fd < 0 ? view->root_fd : path.base_fd;
    if (path.length == 0 && path.base_fd >= 0 && !(flags & O_PATH))
        return resolve_reopen(view, path.base_fd, flags);
    if (path.length == 0 && path.base_fd >= 0) {
        int copy = fcntl(path.base_fd, F_DUPFD_CLOEXEC, 0);
        return copy < 0 ? -told(errno) : copy;
    }
    int fd = open_in_steps(view, base_fd, path.bytes, path.length, flags);
    /* The kernel knew this name, and it is gone: it shall look again, and then create the file when
     * that was the wish (open(2), O_CREAT). */
    return fd == -ENOENT && !name ? -ESTALE : fd;
}

int resolve_directory(struct view *view, struct node *node)
{
    return resolve_open(view, node, NULL, O_PATH | O_DIRECTORY);
}

int resolve_in(struct view *view, int directory_fd, const char *name, int flags)
{
    return open_beneath(view, directory_fd, name, flags);
}

int resolve_create(int directory_fd, const char *name, int flags, mode_t mode)
{
    int fd = openat(directory_fd, name, flags | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, mode);
    return fd < 0 ? -told(errno) : fd;
}

int resolve_create_nameless(int directory_fd, int flags, mode_t mode)
{
    int fd = openat(directory_fd, ".", flags | O_TMPFILE | O_CLOEXEC, mode);
    return fd < 0 ? -errno : fd;
}

int resolve_reopen(struct view *view, int path_fd, int flags)
{
    char link[16];
    snprintf(link, sizeof(link), "%d", path_fd);
    int fd = openat(view->proc_fds, link, (flags & ~O_NOFOLLOW) | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? -told(errno) : fd;
}
