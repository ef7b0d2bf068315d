#include "operations.h"

#include "attributes.h"
#include "budget.h"
#include "cache.h"
#include "creator.h"
#include "guard.h"
#include "handle.h"
#include "lock_owner.h"
#include "lock_queue.h"
#include "object.h"
#include "passthrough.h"
#include "resolve.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static bool opens_for_writing(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

/* What is passed on to the source. O_APPEND comes with each write instead, because pages written
 * back from a mapping must not be appended. O_TRUNC waits until the object is known to be the right
 * one. O_DIRECT would need aligned buffers. O_NONBLOCK: a FIFO that took the name must not hold a
 * worker. */
static int source_flags(int flags)
{
    int mode = opens_for_writing(flags) ? O_RDWR : O_RDONLY;
    if ((flags & O_ACCMODE) == O_WRONLY)
        mode = O_WRONLY;
    return mode | (flags & (O_SYNC | O_DSYNC)) | O_NONBLOCK | O_NOCTTY;
}

/* Whether the kernel shall pass each write on as it is. It splits one that goes into its cache
 * where a page ends, and appends from elsewhere could come in between. Who reads by this descriptor
 * as well may want a shared mapping, which only the cache can give. */
static bool only_appends(int flags)
{
    return (flags & (O_ACCMODE | O_APPEND)) == (O_WRONLY | O_APPEND);
}

/* When the node's name leads elsewhere, the kernel has to look it up again, which it does after
 * ESTALE: what is there now is what the name means. It comes a second time for the very object only
 * when that was not found by its name (an open of /proc/self/fd). A fresh node may be renewed. */
static int open_object(struct view *view, struct node *node, struct stat *attributes,
                       struct identity *found)
{
    cleanup_fd int fd = object_open_by_name(view, node, attributes, found);
    bool is_file = fd >= 0 && S_ISREG(found->type);
    bool usable = is_file && (node_is_fresh(node) || node_is(view->nodes, node, found));
    if (usable || (fd < 0 && fd != -ENOENT && fd != -ESTALE))
        return fd_steal(&fd);
    if (node_lose_name(view->nodes, node))
        return -ESTALE;
    *found = node->identity;
    return object_open(view, node, attributes);
}

/* Opens the object by an O_PATH descriptor: by its name a FIFO or a device could be opened that has
 * just taken it, and opening alone has effects on these. */
static int open_node(struct view *view, struct node *node, int flags, struct stat *attributes,
                     struct identity *found)
{
    cleanup_fd int fd = open_object(view, node, attributes, found);
    if (fd < 0)
        return fd_steal(&fd);
    return S_ISREG(attributes->st_mode) ? resolve_reopen(view, fd, source_flags(flags)) : -ENXIO;
}

/* O_TRUNC, once it is clear what was opened. Passes on a negative errno. */
static int truncate_opened(struct view *view, int opened, int flags)
{
    cleanup_fd int fd = opened;
    int failed = fd >= 0 && (flags & O_TRUNC) ? budget_truncate(view->budget, fd, 0) : 0;
    if (failed)
        return -failed;
    return fd < 0 ? opened : fd_steal(&fd);
}

/* A close tells nothing that matters of a file that was only read, unless its locks go with it. Who
 * locks a file for the first time has it open already: those locks go with the handle. */
static bool needs_no_flush(const struct node *node, int flags)
{
    return !opens_for_writing(flags) && !atomic_load(&node->has_locked);
}

static int open_file(struct view *shared, fuse_ino_t id, struct fuse_file_info *info)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_node struct node_hold hold;
    struct stat attributes;
    struct identity found;
    bool renewed, writes = opens_for_writing(info->flags);
    int failed = object_hold(view, id, &hold);
    if (!failed)
        failed = guard_node(view, hold.node, writes ? WANT_CHANGE : WANT_READ, "open");
    if (failed)
        return failed;
    int fd = open_node(view, hold.node, info->flags, &attributes, &found);
    if (fd < 0)
        return -fd;
    info->fh = handle_open_file(view->handles, hold.node, fd, writes, &found, &renewed);
    if (!info->fh)
        return errno;
    failed = info->flags & O_TRUNC ? budget_truncate(view->budget, fd, 0) : 0;
    if (failed) {
        handle_release(view->handles, info->fh);
        return failed;
    }
    if (renewed)
        cache_forget_attributes(view, id);
    else if (view->watch && !cache_was_told(hold.node, &attributes))
        cache_forget_told(view, hold.node);
    info->direct_io = only_appends(info->flags);
    info->keep_cache =
        cache_keeps_pages(view, hold.node, &attributes) && !renewed && !(info->flags & O_TRUNC);
    info->noflush = needs_no_flush(hold.node, info->flags);
    if (info->noflush)
        handle_set_silent(view->handles, info->fh);
    failed = passthrough_open(view, info->fh, &attributes, info);
    if (failed)
        handle_release(view->handles, info->fh);
    return failed;
}

void release_file(struct view *view, uint64_t handle_id)
{
    passthrough_release(view, handle_id);
    handle_release(view->handles, handle_id);
}

/* Where nobody else changes the source, the kernel knows all that an open needs, and is told not to
 * ask again: it goes by the permissions that it is shown, and each read and write is checked. */
void operation_open(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info)
{
    struct view *view = view_of(request);
    int failed = view->files_unasked ? ENOSYS : open_file(view, id, info);
    if (failed)
        fuse_reply_err(request, failed);
    else if (fuse_reply_open(request, info) == -ENOENT)
        release_file(view, info->fh);
}

static int create_owned(const struct target *target, const struct creator *creator, int flags,
                        mode_t mode)
{
    int failed = creator_begin(target->view, creator);
    if (failed)
        return -failed;
    cleanup_fd int fd =
        resolve_create(target->directory_fd, target->name, source_flags(flags) | O_EXCL, mode);
    failed = fd < 0 ? -fd : creator_own(target->view, creator, target->directory_fd, fd);
    if (!failed)
        return fd_steal(&fd);
    if (fd >= 0)
        unlinkat(target->directory_fd, target->name, 0);
    creator_abandon(target->view);
    return -failed;
}

/* What appeared since the kernel looked: a file is opened as it is, anything else the kernel has to
 * look at, which it does after ESTALE. */
static int open_present(const struct target *target, int flags)
{
    struct stat attributes;
    struct identity identity = {0};
    cleanup_fd int fd = resolve_in(target->view, target->directory_fd, target->name, O_PATH);
    int failed = fd < 0 ? -fd : attributes_read(fd, NULL, &attributes, &identity);
    if (failed)
        return -failed;
    if (!S_ISREG(identity.type))
        return -ESTALE;
    return truncate_opened(target->view, resolve_reopen(target->view, fd, source_flags(flags)),
                           flags);
}

/* O_EXCL forbids to open what is there. */
static int create_or_open(const struct target *target, const struct creator *creator, int flags,
                          mode_t mode)
{
    int fd = create_owned(target, creator, flags, mode);
    return fd == -EEXIST && !(flags & O_EXCL) ? open_present(target, flags) : fd;
}

static int create_file(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                       struct fuse_file_info *info, struct fuse_entry_param *entry)
{
    cleanup_move_lock struct view *view = view_share(view_of(request));
    struct creator creator = creator_of(request);
    cleanup_target struct target target;
    int failed = target_open(view, parent, name, WANT_CREATE, "create", &target);
    if (failed)
        return failed;
    if (mode & (S_ISUID | S_ISGID))
        return EPERM;
    cleanup_fd int fd = create_or_open(&target, &creator, info->flags, mode & 07777);
    if (fd < 0)
        return -fd;

    struct identity identity;
    struct noticed noticed = node_noticed_child(view->nodes, target.parent, NULL);
    *entry = (struct fuse_entry_param){0};
    failed = attributes_read(fd, NULL, &entry->attr, &identity);
    if (failed)
        return failed;
    int64_t told_ns = cache_told_time(target.parent, &entry->attr);
    entry->ino = node_enter(view->nodes, target.parent, name, target.state, &identity, told_ns);
    noticed = noticed_since(noticed, node_noticed_child(view->nodes, target.parent, NULL));
    entry->entry_timeout = cache_entry_timeout(target.parent, noticed);
    entry->attr_timeout = cache_found_timeout(target.parent, noticed, &entry->attr);
    attributes_mask(view, target.state, &entry->attr);
    cleanup_node struct node_hold hold = {view->nodes, NULL};
    if (!entry->ino || object_hold(view, entry->ino, &hold) != 0)
        return ENOMEM;
    info->direct_io = only_appends(info->flags);
    info->fh = handle_open(view->handles, hold.node, fd_steal(&fd), opens_for_writing(info->flags));
    failed = info->fh ? passthrough_open(view, info->fh, &entry->attr, info) : ENFILE;
    if (failed && info->fh)
        handle_release(view->handles, info->fh);
    if (failed)
        node_forget(view->nodes, entry->ino, 1);
    return failed;
}

void operation_create(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                      struct fuse_file_info *info)
{
    struct view *view = view_of(request);
    struct fuse_entry_param entry = {0};
    int failed = create_file(request, parent, name, mode, info, &entry);
    if (failed) {
        fuse_reply_err(request, failed);
    } else if (fuse_reply_create(request, &entry, info) == -ENOENT) {
        release_file(view, info->fh);
        node_forget(view->nodes, entry.ino, 1);
    }
}

/* A process closed the file: its record locks go (fcntl_locking(2)). Closing a duplicate makes the
 * source's file system report what it had deferred (NFS, quota). */
void operation_flush(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info)
{
    (void)id;
    struct view *view = view_of(request);
    cleanup_handle struct handle_hold open = {view->handles, handle_get(view->handles, info->fh)};
    if (view->files_unasked || !open.handle) {
        fuse_reply_err(request, view->files_unasked ? ENOSYS : EBADF);
        return;
    }
    atomic_store(&open.handle->closed_at_ns, lock_queue_now());
    if (lock_owners_drop(view->lock_owners, &open.handle->node->identity, info->lock_owner))
        lock_queue_retry(view->locks);
    int copy = fcntl(open.handle->fd, F_DUPFD_CLOEXEC, 0);
    /* Without a descriptor left there is nothing to hear; the file is closed all the same. */
    int failed = copy >= 0 && close(copy) < 0 ? errno : 0;
    fuse_reply_err(request, failed);
}

static void unlock_handle(struct view *view, uint64_t id)
{
    cleanup_handle struct handle_hold open = {view->handles, handle_get(view->handles, id)};
    if (!open.handle || !atomic_load(&open.handle->locked))
        return;
    flock(open.handle->fd, LOCK_UN);
    lock_owners_drop_handle(view->lock_owners, id);
}

/* Locks of the open file description go with it: flock(2) and F_OFD_SETLK. They go before the
 * handle does, so that a handle that is not there any more has no lock. */
void operation_release(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info)
{
    (void)id;
    struct view *view = view_of(request);
    unlock_handle(view, info->fh);
    release_file(view, info->fh);
    lock_queue_retry(view->locks);
    fuse_reply_err(request, 0);
}
