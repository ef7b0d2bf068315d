#include "operations.h"

#include "attributes.h"
#include "cache.h"
#include "creator.h"
#include "guard.h"
#include "object.h"
#include "resolve.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void reply_entry(fuse_req_t request, int failed, const struct fuse_entry_param *entry)
{
    if (failed)
        fuse_reply_err(request, failed);
    else if (fuse_reply_entry(request, entry) == -ENOENT)
        node_forget(view_of(request)->nodes, entry->ino, 1);
}

/* Somebody may have put something else in its place already, and that keeps its owner. A file of
 * several names is the case that matters: make_file has it by its descriptor. */
static int own(const struct target *target, const struct creator *creator, mode_t type)
{
    struct stat attributes;
    struct identity found;
    if (target->view->owner == OWNER_DAEMON)
        return 0;
    cleanup_fd int fd = resolve_in(target->view, target->directory_fd, target->name, O_PATH);
    if (fd < 0 || attributes_read(fd, NULL, &attributes, &found) != 0 || found.type != type)
        return 0;
    return creator_own(target->view, creator, target->directory_fd, fd);
}

/* The last step of every creation: `result` is that of the creating call; then ownership and the
 * node. What cannot get its owner is taken away again, so that a failure leaves nothing. */
static int finish(int result, const struct target *target, const struct creator *creator,
                  mode_t type, struct fuse_entry_param *entry)
{
    int failed = result < 0 ? errno : 0;
    if (!failed && type != S_IFREG) {
        failed = own(target, creator, type);
        if (failed)
            unlinkat(target->directory_fd, target->name, S_ISDIR(type) ? AT_REMOVEDIR : 0);
    }
    if (failed) {
        creator_abandon(target->view);
        return failed;
    }
    return target_entry(target, entry);
}

/* 0, or -1 with errno, as mknod(2) has it. */
static int make_file(const struct target *target, const struct creator *creator, mode_t mode)
{
    cleanup_fd int fd = resolve_create(target->directory_fd, target->name, O_WRONLY | O_EXCL, mode);
    errno = fd < 0 ? -fd : creator_own(target->view, creator, target->directory_fd, fd);
    if (fd >= 0 && errno)
        unlinkat(target->directory_fd, target->name, 0);
    return errno ? -1 : 0;
}

static int make_node(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                     struct fuse_entry_param *entry)
{
    cleanup_move_lock struct view *view = view_share(view_of(request));
    struct creator creator = creator_of(request);
    cleanup_target struct target target;
    int failed = target_open(view, parent, name, WANT_CREATE, "mknod", &target);
    if (failed)
        return failed;
    bool plain = S_ISREG(mode) || S_ISFIFO(mode) || S_ISSOCK(mode);
    if (!plain || (mode & (S_ISUID | S_ISGID)))
        return EPERM;
    failed = creator_begin(view, &creator);
    if (failed)
        return failed;
    int result = S_ISREG(mode) ? make_file(&target, &creator, mode & 07777)
                               : mknodat(target.directory_fd, name, mode, 0);
    return finish(result, &target, &creator, mode & S_IFMT, entry);
}

void operation_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                     dev_t device)
{
    (void)device;
    struct fuse_entry_param entry = {0};
    int failed = make_node(request, parent, name, mode, &entry);
    reply_entry(request, failed, &entry);
}

static int make_directory(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                          struct fuse_entry_param *entry)
{
    cleanup_move_lock struct view *view = view_share(view_of(request));
    struct creator creator = creator_of(request);
    cleanup_target struct target target;
    int failed = target_open(view, parent, name, WANT_CREATE, "mkdir", &target);
    if (failed)
        return failed;
    failed = creator_begin(view, &creator);
    if (failed)
        return failed;
    return finish(mkdirat(target.directory_fd, name, mode), &target, &creator, S_IFDIR, entry);
}

void operation_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode)
{
    struct fuse_entry_param entry = {0};
    int failed = make_directory(request, parent, name, mode, &entry);
    reply_entry(request, failed, &entry);
}

static int make_symlink(fuse_req_t request, const char *link, fuse_ino_t parent, const char *name,
                        struct fuse_entry_param *entry)
{
    cleanup_move_lock struct view *view = view_share(view_of(request));
    struct creator creator = creator_of(request);
    cleanup_target struct target target;
    int failed = target_open(view, parent, name, WANT_CREATE, "symlink", &target);
    if (failed)
        return failed;
    failed = creator_begin(view, &creator);
    if (failed)
        return failed;
    return finish(symlinkat(link, target.directory_fd, name), &target, &creator, S_IFLNK, entry);
}

void operation_symlink(fuse_req_t request, const char *link, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param entry = {0};
    int failed = make_symlink(request, link, parent, name, &entry);
    reply_entry(request, failed, &entry);
}

/* A new name must not give a file a level that it has not by the old one, so both need write. */
static int make_link(struct view *shared, fuse_ino_t id, fuse_ino_t parent, const char *name,
                     struct fuse_entry_param *entry)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_node struct node_hold hold;
    int failed = object_hold(view, id, &hold);
    if (!failed)
        failed = guard_node(view, hold.node, WANT_CHANGE, "link");
    if (failed)
        return failed;
    cleanup_target struct target target;
    failed = target_open(view, parent, name, WANT_CREATE, "link", &target);
    if (failed)
        return failed;
    struct stat attributes;
    cleanup_fd int fd = object_open(view, hold.node, &attributes);
    if (fd < 0)
        return -fd;
    char proc_name[16];
    snprintf(proc_name, sizeof(proc_name), "%d", fd);
    if (linkat(view->proc_fds, proc_name, target.directory_fd, name, AT_SYMLINK_FOLLOW) < 0)
        return errno;
    node_give_name(view->nodes, hold.node, target.parent, name, target.state);
    cache_forget_attributes(view, id);
    return target_entry(&target, entry);
}

void operation_link(fuse_req_t request, fuse_ino_t id, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param entry = {0};
    int failed = make_link(view_of(request), id, parent, name, &entry);
    reply_entry(request, failed, &entry);
}

static int remove_name(struct view *shared, fuse_ino_t parent, const char *name, int flags,
                       const char *operation)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_target struct target target;
    int failed = target_open(view, parent, name, WANT_CHANGE, operation, &target);
    if (failed)
        return failed;
    cleanup_kept_object struct kept_object kept = target_keep(&target);
    if (unlinkat(target.directory_fd, name, flags) < 0)
        return errno;
    node_remove(view->nodes, target.parent, name, kept_object_removed(&kept));
    return 0;
}

void operation_unlink(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    fuse_reply_err(request, remove_name(view_of(request), parent, name, 0, "unlink"));
}

void operation_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    fuse_reply_err(request, remove_name(view_of(request), parent, name, AT_REMOVEDIR, "rmdir"));
}
