#include "object.h"

#include "attributes.h"
#include "audit.h"
#include "cache.h"
#include "guard.h"
#include "handle.h"
#include "resolve.h"
#include "watch.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int object_hold(struct view *view, fuse_ino_t id, struct node_hold *hold)
{
    hold->tree = view->nodes;
    hold->node = node_get(view->nodes, id);
    return hold->node ? 0 : ESTALE;
}

int object_open_by_name(struct view *view, struct node *node, struct stat *attributes,
                        struct identity *found)
{
    cleanup_fd int fd = resolve_open(view, node, NULL, O_PATH);
    if (fd < 0)
        return fd;
    int failed = attributes_read(fd, NULL, attributes, found);
    return failed ? -failed : fd_steal(&fd);
}

/* The root is whatever the root descriptor is. */
static bool stands_for(struct view *view, const struct node *node, const struct identity *found)
{
    return node->id == NODE_ROOT_ID || node_is(view->nodes, node, found);
}

static int open_object(struct view *view, struct node *node, struct stat *attributes,
                       bool with_other_name)
{
    struct identity found;
    cleanup_fd int fd = object_open_by_name(view, node, attributes, &found);
    if (fd >= 0 && stands_for(view, node, &found))
        return fd_steal(&fd);
    int failed = fd < 0 ? fd : -ESTALE;
    cleanup_fd int borrowed = handle_borrow(view->handles, node, false);
    if (borrowed < 0 || attributes_read(borrowed, NULL, attributes, &found) != 0)
        return failed;
    return attributes->st_nlink == 0 || with_other_name ? fd_steal(&borrowed) : failed;
}

int object_open(struct view *view, struct node *node, struct stat *attributes)
{
    return open_object(view, node, attributes, false);
}

int object_open_to_look(struct view *view, struct node *node, struct stat *attributes)
{
    return open_object(view, node, attributes, true);
}

static int check_target(struct view *view, fuse_ino_t parent, const char *name, enum want want,
                        const char *operation, struct target *target)
{
    *target = (struct target){.view = view, .name = name, .directory_fd = -1};
    target->parent = node_get(view->nodes, parent);
    if (!target->parent)
        return ESTALE;
    return guard_name(view, target->parent, name, want, operation, &target->state);
}

int target_find(struct view *view, fuse_ino_t parent, const char *name, const char *operation,
                struct target *target)
{
    return check_target(view, parent, name, WANT_SEE, operation, target);
}

int target_open(struct view *view, fuse_ino_t parent, const char *name, enum want want,
                const char *operation, struct target *target)
{
    int refused = check_target(view, parent, name, want, operation, target);
    if (refused)
        return refused;
    target->directory_fd = resolve_directory(view, target->parent);
    return target->directory_fd < 0 ? -target->directory_fd : 0;
}

void target_close(struct target *target)
{
    if (target->directory_fd >= 0)
        close(target->directory_fd);
    if (target->parent)
        node_put(target->view->nodes, target->parent);
    target->parent = NULL;
}

/* A name that only a directory could have was not refused yet. It is noted whether or not anything
 * is there: the time that this takes must not tell. */
static void note_hidden(const struct target *target)
{
    int hidden = guard_check(target->state, false, WANT_SEE);
    if (hidden)
        audit_note(target->view, target->parent, target->name, target->state, WANT_SEE, "lookup",
                   hidden);
}

int target_entry(const struct target *target, struct fuse_entry_param *entry)
{
    struct view *view = target->view;
    struct identity identity;
    *entry = (struct fuse_entry_param){0};
    watch_directory(view, target->parent, target->directory_fd);
    struct noticed noticed = node_noticed_child(view->nodes, target->parent, target->name);
    cleanup_fd int fd = target->directory_fd < 0
                            ? resolve_open(view, target->parent, target->name, O_PATH)
                            : resolve_in(view, target->directory_fd, target->name, O_PATH);
    if (fd < 0) {
        note_hidden(target);
        return -fd;
    }
    int failed = attributes_read(fd, NULL, &entry->attr, &identity);
    if (failed)
        return failed;
    failed = guard_check(target->state, S_ISDIR(entry->attr.st_mode), WANT_SEE);
    if (failed) {
        note_hidden(target);
        return failed;
    }
    int64_t told_ns = cache_told_time(target->parent, &entry->attr);
    entry->ino =
        node_enter(view->nodes, target->parent, target->name, target->state, &identity, told_ns);
    noticed = noticed_since(noticed, node_noticed_child(view->nodes, target->parent, target->name));
    entry->attr_timeout = cache_found_timeout(target->parent, noticed, &entry->attr);
    entry->entry_timeout = cache_entry_timeout(target->parent, noticed);
    attributes_mask(view, target->state, &entry->attr);
    return entry->ino ? 0 : ENOMEM;
}

struct kept_object target_keep(const struct target *target)
{
    struct kept_object kept = {.fd = -1};
    struct stat attributes;
    struct identity found;
    if (!node_known(target->view->nodes, target->parent, target->name))
        return kept;
    cleanup_fd int fd = resolve_in(target->view, target->directory_fd, target->name, O_PATH);
    if (fd < 0 || attributes_read(fd, NULL, &attributes, &found) != 0 ||
        !node_stands_for(target->view->nodes, target->parent, target->name, &found))
        return kept;
    kept.links = attributes.st_nlink;
    kept.fd = fd_steal(&fd);
    return kept;
}

int *kept_object_removed(struct kept_object *kept)
{
    struct stat now;
    if (kept->fd < 0)
        return &kept->fd;
    bool removed = fstat(kept->fd, &now) == 0 &&
                   (S_ISDIR(now.st_mode) ? now.st_nlink == 0 : now.st_nlink == kept->links - 1);
    if (!removed)
        fd_close(&kept->fd);
    return &kept->fd;
}

void kept_object_close(struct kept_object *kept)
{
    fd_close(&kept->fd);
}
