#include "operations.h"

#include "attributes.h"
#include "cache.h"
#include "folding.h"
#include "guard.h"
#include "handle.h"
#include "object.h"
#include "resolve.h"
#include "snapshot.h"
#include "watch.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int take_snapshot(struct view *view, struct node *node, struct snapshot **snapshot)
{
    int fd = resolve_open(view, node, NULL, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    if (fd < 0)
        return -fd;
    const struct state *state =
        folding_directory(view, node) ? policy_hidden(view->policy) : atomic_load(&node->state);
    return snapshot_take(fd, state, snapshot);
}

static int open_directory(struct view *shared, fuse_ino_t id, struct fuse_file_info *info)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_node struct node_hold hold;
    struct stat attributes;
    struct identity identity;
    int failed = object_hold(view, id, &hold);
    if (!failed)
        failed = guard_node(view, hold.node, WANT_SEE, "opendir");
    if (failed)
        return failed;
    cleanup_fd int fd = resolve_open(view, hold.node, NULL, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    failed = fd < 0 ? -fd : attributes_read(fd, NULL, &attributes, &identity);
    if (failed)
        return failed;
    info->cache_readdir = 1;
    info->keep_cache = cache_keeps_listing(view->nodes, hold.node, &attributes);
    info->fh = handle_open(view->handles, hold.node, -1, false);
    return info->fh ? 0 : ENFILE;
}

void operation_opendir(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info)
{
    struct view *view = view_of(request);
    int failed = open_directory(view, id, info);
    if (failed)
        fuse_reply_err(request, failed);
    else if (fuse_reply_open(request, info) == -ENOENT)
        handle_release(view->handles, info->fh);
}

/* One answer to a READDIR or READDIRPLUS request that is being filled. */
struct listing {
    fuse_req_t request;
    struct view *view;
    struct node *directory;
    int directory_fd; /* O_PATH for readdirplus; -1: names only */
    bool plus;
    char *bytes;
    size_t size, used;
};

/* Fills in what a lookup of the name would have answered. Where that fails (the entry vanished
 * since the snapshot, something is mounted on it) the name alone is listed: an error here would end
 * the listing, and a later lookup tells the truth. */
static void look_up_entry(const struct listing *listing, const struct snapshot_entry *found,
                          const struct state *state, struct fuse_entry_param *entry)
{
    struct identity identity;
    if (attributes_read(listing->directory_fd, found->name, &entry->attr, &identity) != 0 ||
        guard_check(state, S_ISDIR(entry->attr.st_mode), WANT_SEE) != 0) {
        entry->attr = (struct stat){.st_ino = found->inode, .st_mode = found->type};
        return;
    }
    entry->attr_timeout = cache_found_timeout(listing->directory, &entry->attr);
    entry->entry_timeout = cache_entry_timeout(listing->directory);
    int64_t told_ns = cache_change_time(&entry->attr);
    attributes_mask(listing->view, state, &entry->attr);
    entry->ino = node_enter(listing->view->nodes, listing->directory, found->name, state, &identity,
                            told_ns);
}

static bool is_dots(const struct snapshot_entry *found)
{
    return strcmp(found->name, ".") == 0 || strcmp(found->name, "..") == 0;
}

/* The rules may have changed since the snapshot was taken. */
static bool may_be_listed(const struct state *state, const struct snapshot_entry *found)
{
    bool may_be_directory = found->type == S_IFDIR || found->type == 0;
    return guard_check(state, may_be_directory, WANT_SEE) == 0;
}

/* False when the entry does not fit any more. */
static bool add_entry(struct listing *listing, const struct snapshot_entry *found, off_t next)
{
    const struct state *directory = atomic_load(&listing->directory->state);
    const struct state *state =
        is_dots(found) ? directory : state_step(directory, found->name, strlen(found->name));
    if (!is_dots(found) && !may_be_listed(state, found))
        return true;
    struct fuse_entry_param entry = {
        .attr = {.st_ino = found->inode, .st_mode = found->type},
    };
    char *at = listing->bytes + listing->used;
    size_t room = listing->size - listing->used;
    if (!listing->plus) {
        size_t needed =
            fuse_add_direntry(listing->request, at, room, found->name, &entry.attr, next);
        listing->used += needed <= room ? needed : 0;
        return needed <= room;
    }
    size_t needed = fuse_add_direntry_plus(listing->request, NULL, 0, found->name, NULL, 0);
    if (needed > room)
        return false;
    if (!is_dots(found) && listing->directory_fd >= 0)
        look_up_entry(listing, found, state, &entry);
    listing->used += fuse_add_direntry_plus(listing->request, at, room, found->name, &entry, next);
    return true;
}

/* The listing is taken when it is first asked for, and again when it is read from the start
 * (rewinddir(3)). */
static int renew_snapshot(struct listing *listing, struct handle *handle, off_t offset)
{
    struct snapshot *fresh = NULL;
    if (offset != 0 && handle->snapshot)
        return 0;
    cache_note_listing(listing->directory);
    watch_directory(listing->view, listing->directory);
    int failed = take_snapshot(listing->view, listing->directory, &fresh);
    return failed ? failed : handle_set_snapshot(listing->view->handles, handle, fresh);
}

static int fill(struct listing *listing, struct handle *handle, off_t offset)
{
    pthread_mutex_lock(&handle->lock);
    int failed = renew_snapshot(listing, handle, offset);
    if (!failed) {
        const struct snapshot *snapshot = handle->snapshot;
        for (size_t i = (size_t)offset; i < snapshot->count; i++)
            if (!add_entry(listing, &snapshot->entries[i], (off_t)(i + 1)))
                break;
    }
    pthread_mutex_unlock(&handle->lock);
    return failed;
}

static int list(struct listing *listing, off_t offset, const struct fuse_file_info *info)
{
    cleanup_move_lock struct view *view = view_share(listing->view);
    cleanup_handle struct handle_hold open = {view->handles, handle_get(view->handles, info->fh)};
    if (!open.handle || offset < 0)
        return open.handle ? EINVAL : EBADF;
    listing->directory = open.handle->node;
    int failed = guard_node(view, listing->directory, WANT_SEE, "readdir");
    if (failed)
        return failed;
    cleanup_fd int directory_fd = listing->plus ? resolve_directory(view, listing->directory) : -1;
    listing->directory_fd = directory_fd;
    return fill(listing, open.handle, offset);
}

static void reply_listing(fuse_req_t request, size_t size, off_t offset,
                          const struct fuse_file_info *info, bool plus)
{
    cleanup_free char *bytes = malloc(size ? size : 1);
    struct listing listing = {
        .request = request, .view = view_of(request), .plus = plus, .bytes = bytes, .size = size};
    int failed = bytes ? list(&listing, offset, info) : ENOMEM;
    if (failed)
        fuse_reply_err(request, failed);
    else
        fuse_reply_buf(request, bytes, listing.used);
}

void operation_readdir(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset,
                       struct fuse_file_info *info)
{
    (void)id;
    reply_listing(request, size, offset, info, false);
}

void operation_readdirplus(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset,
                           struct fuse_file_info *info)
{
    (void)id;
    reply_listing(request, size, offset, info, true);
}

static int sync_directory(struct view *shared, fuse_ino_t id, int data_only)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_node struct node_hold hold;
    int failed = object_hold(view, id, &hold);
    if (!failed)
        failed = guard_node(view, hold.node, WANT_SEE, "fsyncdir");
    if (failed)
        return failed;
    cleanup_fd int fd = resolve_open(view, hold.node, NULL, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return -fd;
    return (data_only ? fdatasync(fd) : fsync(fd)) < 0 ? errno : 0;
}

void operation_fsyncdir(fuse_req_t request, fuse_ino_t id, int data_only,
                        struct fuse_file_info *info)
{
    (void)info;
    fuse_reply_err(request, sync_directory(view_of(request), id, data_only));
}
