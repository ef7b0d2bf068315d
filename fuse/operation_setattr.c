#include "operations.h"

#include "attributes.h"
#include "budget.h"
#include "cache.h"
#include "guard.h"
#include "handle.h"
#include "object.h"
#include "privilege.h"
#include "resolve.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* One object whose attributes change: `fd` is O_PATH and `current` what it has now. */
struct change {
    struct view *view;
    struct node *node;
    const struct handle *handle; /* or NULL */
    int fd;
    struct stat current;
};

/* The name of an O_PATH descriptor for calls that take no such descriptor. */
struct proc_name {
    char text[16];
};

static struct proc_name proc_name(int fd)
{
    struct proc_name name;
    snprintf(name.text, sizeof(name.text), "%d", fd);
    return name;
}

static int change_mode(const struct change *change, mode_t mode)
{
    mode_t added = mode & ~change->current.st_mode;
    if (added & (S_ISUID | S_ISGID))
        return EPERM;
    if (S_ISLNK(change->current.st_mode))
        return EOPNOTSUPP;
    struct proc_name name = proc_name(change->fd);
    return privilege_chmod(change->view->proc_fds, name.text, mode & 07777);
}

static int change_owner(const struct change *change, uid_t user, gid_t group)
{
    const struct view *view = change->view;
    if (view->for_one_user) {
        bool same = (user == (uid_t)-1 || user == view->user) &&
                    (group == (gid_t)-1 || group == view->group);
        return same ? 0 : EPERM;
    }
    return fchownat(change->fd, "", user, group, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? errno
                                                                                          : 0;
}

/* As every change of the owner does, also to the same one or to none: then the kernel asks for
 * nothing at all. */
static int drop_set_id_bits(const struct change *change)
{
    mode_t mode = change->current.st_mode;
    mode_t dropped = S_ISUID | (mode & S_IXGRP ? S_ISGID : 0);
    return S_ISREG(mode) && (mode & dropped) ? change_mode(change, mode & ~dropped) : 0;
}

static int change_size(const struct change *change, off_t size)
{
    if (change->handle && change->handle->fd >= 0 && change->handle->can_write)
        return budget_truncate(change->view->budget, change->handle->fd, size);
    if (!S_ISREG(change->current.st_mode))
        return EINVAL;
    cleanup_fd int fd = resolve_reopen(change->view, change->fd, O_WRONLY | O_NONBLOCK);
    if (fd < 0)
        return -fd;
    return budget_truncate(change->view->budget, fd, size);
}

static struct timespec wanted_time(int which, int set, int set_now, const struct timespec *time)
{
    if (which & set_now)
        return (struct timespec){.tv_nsec = UTIME_NOW};
    if (which & set)
        return *time;
    return (struct timespec){.tv_nsec = UTIME_OMIT};
}

static int change_times(const struct change *change, const struct stat *wanted, int which)
{
    struct timespec times[2] = {
        wanted_time(which, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, &wanted->st_atim),
        wanted_time(which, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, &wanted->st_mtim),
    };
    return utimensat(change->fd, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
}

static int apply(const struct change *change, const struct stat *wanted, int which)
{
    int failed = 0;
    if (which & FUSE_SET_ATTR_MODE)
        failed = change_mode(change, wanted->st_mode);
    if (!failed && (which & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)))
        failed = change_owner(change, which & FUSE_SET_ATTR_UID ? wanted->st_uid : (uid_t)-1,
                              which & FUSE_SET_ATTR_GID ? wanted->st_gid : (gid_t)-1);
    if (!failed && !(which & FUSE_SET_ATTR_MODE) &&
        (!which || (which & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))))
        failed = drop_set_id_bits(change);
    if (!failed && (which & FUSE_SET_ATTR_SIZE))
        failed = change_size(change, wanted->st_size);
    if (!failed && (which & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME |
                             FUSE_SET_ATTR_MTIME_NOW)))
        failed = change_times(change, wanted, which);
    return failed;
}

static enum want wanted_access(int which)
{
    int owner_or_mode = FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;
    return which & owner_or_mode ? WANT_CHANGE_MODE : WANT_CHANGE;
}

static int set_attributes(struct view *shared, fuse_ino_t id, const struct stat *wanted, int which,
                          const struct fuse_file_info *info, struct stat *result, double *timeout)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_node struct node_hold hold;
    int failed = object_hold(view, id, &hold);
    if (!failed)
        failed = guard_node(view, hold.node, wanted_access(which), "setattr");
    if (failed)
        return failed;

    cleanup_handle struct handle_hold open = {view->handles,
                                              info ? handle_get(view->handles, info->fh) : NULL};
    if (open.handle && open.handle->node != hold.node)
        return EBADF;
    struct change change = {.view = view, .node = hold.node, .handle = open.handle};
    bool by_handle = open.handle;
    cleanup_fd int fd = -1;
    if (by_handle) {
        struct identity identity;
        fd = fcntl(open.handle->fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return ENFILE;
        failed = attributes_read(fd, NULL, &change.current, &identity);
    } else {
        fd = object_open(view, hold.node, &change.current);
        failed = fd < 0 ? -fd : 0;
    }
    change.fd = fd;
    if (!failed)
        failed = apply(&change, wanted, which);
    struct identity identity;
    struct noticed noticed = node_noticed(view->nodes, hold.node);
    if (!failed)
        failed = attributes_read(fd, NULL, result, &identity);
    if (!failed)
        *timeout = cache_attribute_timeout(view->nodes, hold.node, noticed, result);
    if (!failed)
        attributes_mask(view, atomic_load(&hold.node->state), result);
    return failed;
}

void operation_setattr(fuse_req_t request, fuse_ino_t id, struct stat *wanted, int which,
                       struct fuse_file_info *info)
{
    struct stat result;
    double timeout = 0;
    int failed = set_attributes(view_of(request), id, wanted, which, info, &result, &timeout);
    if (failed)
        fuse_reply_err(request, failed);
    else
        fuse_reply_attr(request, &result, timeout);
}
