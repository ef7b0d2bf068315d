#include "operations.h"

#include "attributes.h"
#include "budget.h"
#include "cache.h"
#include "guard.h"
#include "handle.h"
#include "object.h"
#include "watch.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

/* While it runs, the kernel may be about to learn that the name is not. */
static int look_up_noticed(struct target *target, struct noticed *noticed,
                           struct fuse_entry_param *entry)
{
    struct node *directory = target->parent;
    watch_directory(target->view, directory, -1);
    *noticed = node_noticed_child(target->view->nodes, directory, NULL);
    atomic_fetch_add(&directory->running_lookups, 1);
    int failed = entry ? target_entry(target, entry) : ENOENT;
    if (failed == ENOENT)
        atomic_store(&directory->told_absence, true);
    atomic_fetch_sub(&directory->running_lookups, 1);
    return failed;
}

/* A name that leads to nothing is an entry without a node. */
static int look_up(struct view *shared, fuse_ino_t parent, const char *name,
                   struct fuse_entry_param *entry)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_target struct target target;
    struct noticed noticed;
    int failed = target_find(view, parent, name, "lookup", &target);
    if (!failed || failed == ENOENT)
        failed = look_up_noticed(&target, &noticed, failed ? NULL : entry);
    if (failed != ENOENT)
        return failed;
    *entry =
        (struct fuse_entry_param){.entry_timeout = cache_absence_timeout(target.parent, noticed)};
    return 0;
}

void operation_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    struct view *view = view_of(request);
    struct fuse_entry_param entry;
    int failed = look_up(view, parent, name, &entry);
    if (failed)
        fuse_reply_err(request, failed);
    else if (fuse_reply_entry(request, &entry) == -ENOENT && entry.ino)
        node_forget(view->nodes, entry.ino, 1);
}

void operation_forget(fuse_req_t request, fuse_ino_t id, uint64_t lookups)
{
    node_forget(view_of(request)->nodes, id, lookups);
    fuse_reply_none(request);
}

void operation_forget_multi(fuse_req_t request, size_t count, struct fuse_forget_data *forgets)
{
    for (size_t i = 0; i < count; i++)
        node_forget(view_of(request)->nodes, forgets[i].ino, forgets[i].nlookup);
    node_tree_give_back(view_of(request)->nodes);
    fuse_reply_none(request);
}

static int read_attributes(struct view *view, struct node *node, const struct fuse_file_info *info,
                           struct stat *attributes)
{
    cleanup_handle struct handle_hold open = {view->handles,
                                              info ? handle_get(view->handles, info->fh) : NULL};
    struct identity identity;
    if (open.handle)
        return open.handle->node == node
                   ? attributes_read(open.handle->fd, NULL, attributes, &identity)
                   : EBADF;
    cleanup_fd int fd = object_open_to_look(view, node, attributes);
    return fd < 0 ? -fd : 0;
}

static int get_attributes(struct view *shared, fuse_ino_t id, const struct fuse_file_info *info,
                          struct stat *attributes, double *timeout)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_node struct node_hold hold;
    int failed = object_hold(view, id, &hold);
    if (!failed)
        failed = guard_node(view, hold.node, WANT_SEE, "stat");
    if (failed)
        return failed;
    struct noticed noticed = node_noticed(view->nodes, hold.node);
    failed = read_attributes(view, hold.node, info, attributes);
    if (failed)
        return failed;
    *timeout = cache_attribute_timeout(view->nodes, hold.node, noticed, attributes);
    attributes_mask(view, atomic_load(&hold.node->state), attributes);
    return 0;
}

void operation_getattr(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info)
{
    struct stat attributes;
    double timeout;
    int failed = get_attributes(view_of(request), id, info, &attributes, &timeout);
    if (failed)
        fuse_reply_err(request, failed);
    else
        fuse_reply_attr(request, &attributes, timeout);
}

#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 18)
/* Which the kernel asks for when somebody wants the time of birth. */
void operation_statx(fuse_req_t request, fuse_ino_t id, int flags, int mask,
                     struct fuse_file_info *info)
{
    (void)flags;
    (void)mask;
    struct stat attributes;
    struct statx extended;
    double timeout;
    int failed = get_attributes(view_of(request), id, info, &attributes, &timeout);
    if (failed) {
        fuse_reply_err(request, failed);
        return;
    }
    attributes_extend(&attributes, node_birth(view_of(request)->nodes, id), &extended);
    fuse_reply_statx(request, 0, &extended, timeout);
}
#endif

static int read_link(struct view *shared, fuse_ino_t id, char *target, size_t size)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_node struct node_hold hold;
    struct stat attributes;
    int failed = object_hold(view, id, &hold);
    if (!failed)
        failed = guard_node(view, hold.node, WANT_READ, "readlink");
    if (failed)
        return failed;
    cleanup_fd int fd = object_open(view, hold.node, &attributes);
    if (fd < 0)
        return -fd;
    ssize_t length = readlinkat(fd, "", target, size - 1);
    if (length < 0)
        return errno;
    target[length] = '\0';
    return 0;
}

void operation_readlink(fuse_req_t request, fuse_ino_t id)
{
    char target[PATH_MAX + 1];
    int failed = read_link(view_of(request), id, target, sizeof(target));
    if (failed)
        fuse_reply_err(request, failed);
    else
        fuse_reply_readlink(request, target);
}

/* What the level allows of an access(2) mask. A directory may be searched and listed as soon as it
 * is seen; it counts as writable when something in it can be, because that is what tools ask for
 * before they create a file there. */
static int check_mask(const struct state *state, bool is_directory, int mask)
{
    enum level level = state_level(state);
    if ((mask & W_OK) && (is_directory ? state_reach(state) : level) < LEVEL_WRITE)
        return EACCES;
    if (!is_directory && (mask & (R_OK | X_OK)) && level < LEVEL_READ)
        return EACCES;
    return 0;
}

static int check_access(struct view *shared, fuse_ino_t id, int mask)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_node struct node_hold hold;
    struct stat attributes;
    int failed = object_hold(view, id, &hold);
    if (!failed)
        failed = guard_node(view, hold.node, WANT_SEE, "access");
    if (!failed)
        failed =
            check_mask(atomic_load(&hold.node->state), S_ISDIR(hold.node->identity.type), mask);
    if (failed)
        return failed;
    cleanup_fd int fd = object_open(view, hold.node, &attributes);
    if (fd < 0)
        return -fd;
    return faccessat(fd, "", mask & (R_OK | W_OK | X_OK), AT_EMPTY_PATH | AT_EACCESS) < 0 ? errno
                                                                                          : 0;
}

void operation_access(fuse_req_t request, fuse_ino_t id, int mask)
{
    fuse_reply_err(request, check_access(view_of(request), id, mask));
}

void operation_statfs(fuse_req_t request, fuse_ino_t id)
{
    (void)id;
    struct view *view = view_of(request);
    struct statvfs found;
    if (fstatvfs(view->root_fd, &found) < 0) {
        fuse_reply_err(request, errno);
        return;
    }
    budget_show(view->budget, &found);
    fuse_reply_statfs(request, &found);
}
