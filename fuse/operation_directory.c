#include "operations.h"

#include "attributes.h"
#include "cache.h"
#include "folding.h"
#include "guard.h"
#include "listings.h"
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

static int take_snapshot(struct view *view, struct node *node, int fd, struct snapshot **snapshot)
{
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
    info->keep_cache = cache_keeps_listing(view, hold.node, &attributes);
    return 0;
}

/* A directory needs no handle: what is listed follows from the node and the offset. Where changes
 * are noticed, the kernel needs no word of us either to use the listing that it has, and is told
 * not to ask again. */
void operation_opendir(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info)
{
    struct view *view = view_of(request);
    int failed = view->opens_unasked ? ENOSYS : open_directory(view, id, info);
    if (failed)
        fuse_reply_err(request, failed);
    else
        fuse_reply_open(request, info);
}

void operation_releasedir(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info)
{
    (void)id;
    (void)info;
    fuse_reply_err(request, 0);
}

/* One answer to a READDIR or READDIRPLUS request that is being filled. */
struct listing {
    fuse_req_t request;
    struct view *view;
    struct node *directory;
    int fd;
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
    struct node_tree *nodes = listing->view->nodes;
    const char *folder = found->type == S_IFDIR ? found->name : NULL;
    struct noticed noticed = node_noticed_child(nodes, listing->directory, folder);
    if (attributes_read(listing->fd, found->name, &entry->attr, &identity) != 0 ||
        guard_check(state, S_ISDIR(entry->attr.st_mode), WANT_SEE) != 0) {
        entry->attr = (struct stat){.st_ino = found->inode, .st_mode = found->type};
        return;
    }
    int64_t told_ns = cache_told_time(listing->directory, &entry->attr);
    entry->ino = node_enter(nodes, listing->directory, found->name, state, &identity, told_ns);
    noticed = noticed_since(noticed, node_noticed_child(nodes, listing->directory, folder));
    entry->attr_timeout = cache_found_timeout(listing->directory, noticed, &entry->attr);
    entry->entry_timeout = cache_entry_timeout(listing->directory, noticed);
    attributes_mask(listing->view, state, &entry->attr);
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
static bool add_entry(struct listing *listing, const struct snapshot_entry *found)
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
            fuse_add_direntry(listing->request, at, room, found->name, &entry.attr, found->cookie);
        listing->used += needed <= room ? needed : 0;
        return needed <= room;
    }
    size_t needed = fuse_add_direntry_plus(listing->request, NULL, 0, found->name, NULL, 0);
    if (needed > room)
        return false;
    if (!is_dots(found) && listing->fd >= 0)
        look_up_entry(listing, found, state, &entry);
    listing->used +=
        fuse_add_direntry_plus(listing->request, at, room, found->name, &entry, found->cookie);
    return true;
}

/* The listing is taken anew when it is read from the start (opendir(3), rewinddir(3)). */
static int find_snapshot(struct listing *listing, off_t offset, struct snapshot **snapshot)
{
    struct view *view = listing->view;
    struct node *directory = listing->directory;
    *snapshot = offset ? listings_find(view->listings, directory->id) : NULL;
    if (*snapshot && !listing->plus)
        return 0;
    listing->fd = resolve_open(view, directory, NULL, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    if (*snapshot)
        return 0;
    if (listing->fd < 0)
        return -listing->fd;
    cache_note_listing(directory);
    watch_directory(view, directory, listing->fd);
    int failed = take_snapshot(view, directory, listing->fd, snapshot);
    if (!failed)
        listings_keep(view->listings, directory->id, *snapshot);
    return failed;
}

static int fill(struct listing *listing, off_t offset)
{
    struct snapshot *snapshot = NULL;
    int failed = find_snapshot(listing, offset, &snapshot);
    if (failed)
        return failed;
    size_t first = snapshot_after(snapshot, offset);
    for (size_t i = first; i < snapshot->count; i++)
        if (!add_entry(listing, &snapshot->entries[i]))
            break;
    if (first == snapshot->count)
        listings_drop(listing->view->listings, listing->directory->id);
    snapshot_put(snapshot);
    return 0;
}

static int list(struct listing *listing, fuse_ino_t id, off_t offset)
{
    cleanup_move_lock struct view *view = view_share(listing->view);
    cleanup_node struct node_hold hold;
    int failed = object_hold(view, id, &hold);
    if (failed)
        return failed;
    listing->directory = hold.node;
    failed = guard_node(view, hold.node, WANT_SEE, "readdir");
    if (failed)
        return failed;
    failed = fill(listing, offset);
    fd_close(&listing->fd);
    return failed;
}

static void reply_listing(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, bool plus)
{
    cleanup_free char *bytes = malloc(size ? size : 1);
    struct listing listing = {.request = request,
                              .view = view_of(request),
                              .plus = plus,
                              .fd = -1,
                              .bytes = bytes,
                              .size = size};
    int failed = offset < 0 ? EINVAL : bytes ? list(&listing, id, offset) : ENOMEM;
    if (failed)
        fuse_reply_err(request, failed);
    else
        fuse_reply_buf(request, bytes, listing.used);
}

void operation_readdir(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset,
                       struct fuse_file_info *info)
{
    (void)info;
    reply_listing(request, id, size, offset, false);
}

void operation_readdirplus(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset,
                           struct fuse_file_info *info)
{
    (void)info;
    reply_listing(request, id, size, offset, true);
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
