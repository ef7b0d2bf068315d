#include "operations.h"

#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17) /* of these versions libfuse passes it on */

#include "attributes.h"
#include "cache.h"
#include "creator.h"
#include "guard.h"
#include "handle.h"
#include "object.h"
#include "passthrough.h"
#include "resolve.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A file without a name has no path that a rule could speak of, so its directory's level counts
 * until it gets a name. Where only names in the directory may be written, programs shall make one:
 * that is what they do after EOPNOTSUPP. */
static int check_directory(struct view *view, struct node *directory)
{
    const struct state *state = atomic_load(&directory->state);
    if (state_level(state) < LEVEL_WRITE && state_reach(state) == LEVEL_WRITE)
        return EOPNOTSUPP;
    return guard_node(view, directory, WANT_CREATE, "create");
}

/* With O_EXCL the file never gets a name. O_APPEND and O_DIRECT as for any open file. */
static int create_owned(struct view *view, const struct creator *creator, int directory_fd,
                        int flags, mode_t mode)
{
    int failed = creator_begin(view, creator);
    if (failed)
        return -failed;
    int kept = flags & (O_ACCMODE | O_EXCL | O_SYNC | O_DSYNC);
    cleanup_fd int fd = resolve_create_nameless(directory_fd, kept, mode);
    failed = fd < 0 ? -fd : creator_own(view, creator, directory_fd, fd);
    if (!failed)
        return fd_steal(&fd);
    creator_abandon(view);
    return -failed;
}

static int enter(struct view *view, struct node *directory, int fd, struct fuse_entry_param *entry)
{
    struct identity identity;
    int failed = attributes_read(fd, NULL, &entry->attr, &identity);
    if (failed)
        return failed;
    attributes_mask(view, atomic_load(&directory->state), &entry->attr);
    cleanup_fd int kept_fd = resolve_reopen(view, fd, O_PATH);
    if (kept_fd < 0)
        return -kept_fd;
    entry->ino = node_enter_nameless(view->nodes, directory, &identity, &kept_fd);
    return entry->ino ? 0 : ENOMEM;
}

static int make_nameless(fuse_req_t request, fuse_ino_t parent, mode_t mode,
                         struct fuse_file_info *info, struct fuse_entry_param *entry)
{
    cleanup_move_lock struct view *view = view_share(view_of(request));
    struct creator creator = creator_of(request);
    cleanup_node struct node_hold directory, hold = {view->nodes, NULL};
    int failed = object_hold(view, parent, &directory);
    if (!failed)
        failed = check_directory(view, directory.node);
    if (failed)
        return failed;
    if (mode & (S_ISUID | S_ISGID))
        return EPERM;
    cleanup_fd int directory_fd = resolve_directory(view, directory.node);
    if (directory_fd < 0)
        return -directory_fd;
    cleanup_fd int fd = create_owned(view, &creator, directory_fd, info->flags, mode & 07777);
    if (fd < 0)
        return -fd;
    failed = enter(view, directory.node, fd, entry);
    if (failed) {
        creator_abandon(view);
        return failed;
    }
    if (object_hold(view, entry->ino, &hold) == 0)
        info->fh = handle_open(view->handles, hold.node, fd_steal(&fd), true);
    failed = info->fh ? passthrough_open(view, info->fh, &entry->attr, info) : ENFILE;
    if (failed && info->fh)
        handle_release(view->handles, info->fh);
    if (failed)
        node_forget(view->nodes, entry->ino, 1);
    return failed;
}

void operation_tmpfile(fuse_req_t request, fuse_ino_t parent, mode_t mode,
                       struct fuse_file_info *info)
{
    struct view *view = view_of(request);
    struct fuse_entry_param entry = {0};
    int failed = make_nameless(request, parent, mode, info, &entry);
    if (failed) {
        fuse_reply_err(request, failed);
    } else if (fuse_reply_create(request, &entry, info) == -ENOENT) {
        release_file(view, info->fh);
        node_forget(view->nodes, entry.ino, 1);
    }
}

#endif
