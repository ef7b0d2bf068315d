/*
 * Extended attributes: user.* only. The others carry privileges or labels that the source's own
 * file system gives a meaning, so the view neither shows nor changes them.
 */
#include "operations.h"

#include "guard.h"
#include "object.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

/* XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h */
enum { VALUE_LIMIT = 65536, LIST_LIMIT = 65536 };

struct proc_path {
    char text[40];
};

/* An O_PATH descriptor by a name that the xattr calls take. */
static struct proc_path proc_path(int fd)
{
    struct proc_path path;
    snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
    return path;
}

static bool is_user_attribute(const char *name)
{
    return strncmp(name, "user.", 5) == 0;
}

static bool is_acl(const char *name)
{
    return strncmp(name, "system.posix_acl_", 17) == 0;
}

/* Tools that copy ACLs take this answer for "no ACLs here" and go on; EPERM would make them fail.
 */
static int refuse_other(const char *name, int otherwise)
{
    return is_acl(name) ? EOPNOTSUPP : otherwise;
}

/* Checks the level and opens the object as O_PATH: a descriptor, or a negative errno. */
static int open_object(struct view *view, fuse_ino_t id, enum want want, const char *operation)
{
    cleanup_node struct node_hold hold;
    struct stat attributes;
    int failed = object_hold(view, id, &hold);
    if (!failed)
        failed = guard_node(view, hold.node, want, operation);
    if (failed)
        return -failed;
    cleanup_fd int fd = object_open(view, hold.node, &attributes);
    if (fd >= 0 && S_ISLNK(attributes.st_mode))
        return -(want == WANT_CHANGE ? EPERM : ENODATA);
    return fd < 0 ? fd : fd_steal(&fd);
}

static int set_attribute(struct view *shared, fuse_ino_t id, const char *name, const char *value,
                         size_t size, int flags)
{
    cleanup_move_lock struct view *view = view_share(shared);
    if (!is_user_attribute(name))
        return refuse_other(name, EPERM);
    cleanup_fd int fd = open_object(view, id, WANT_CHANGE, "setxattr");
    if (fd < 0)
        return -fd;
    return setxattr(proc_path(fd).text, name, value, size, flags) < 0 ? errno : 0;
}

void operation_setxattr(fuse_req_t request, fuse_ino_t id, const char *name, const char *value,
                        size_t size, int flags)
{
    fuse_reply_err(request, set_attribute(view_of(request), id, name, value, size, flags));
}

static int remove_attribute(struct view *shared, fuse_ino_t id, const char *name)
{
    cleanup_move_lock struct view *view = view_share(shared);
    if (!is_user_attribute(name))
        return refuse_other(name, EPERM);
    cleanup_fd int fd = open_object(view, id, WANT_CHANGE, "removexattr");
    if (fd < 0)
        return -fd;
    return removexattr(proc_path(fd).text, name) < 0 ? errno : 0;
}

void operation_removexattr(fuse_req_t request, fuse_ino_t id, const char *name)
{
    fuse_reply_err(request, remove_attribute(view_of(request), id, name));
}

/* Answers with a value, or with its size when the kernel only asks for that. */
static void reply_value(fuse_req_t request, ssize_t length, const char *value, size_t size)
{
    if (length < 0)
        fuse_reply_err(request, (int)-length);
    else if (size == 0)
        fuse_reply_xattr(request, (size_t)length);
    else if ((size_t)length > size)
        fuse_reply_err(request, ERANGE);
    else
        fuse_reply_buf(request, value, (size_t)length);
}

/* The kernel asks for these before it lets others than root in; a directory must not refuse what
 * the level of a path in it allows, so its ACL does not go by its own level. */
static ssize_t get_acl(struct view *view, fuse_ino_t id, const char *name, char *value)
{
    cleanup_node struct node_hold hold;
    int failed = object_hold(view, id, &hold);
    if (failed)
        return -failed;
    bool readable = state_level(atomic_load(&hold.node->state)) >= LEVEL_READ;
    if (!readable && !S_ISDIR(hold.node->identity.type))
        return -ENODATA;
    cleanup_fd int fd = open_object(view, id, WANT_SEE, "getxattr");
    if (fd < 0)
        return fd;
    ssize_t length = getxattr(proc_path(fd).text, name, value, VALUE_LIMIT);
    return length < 0 ? -errno : length;
}

static ssize_t get_attribute(struct view *shared, fuse_ino_t id, const char *name, char *value)
{
    cleanup_move_lock struct view *view = view_share(shared);
    if (view->lists_checked && is_acl(name))
        return get_acl(view, id, name, value);
    if (!is_user_attribute(name)) /* who asks for every file hears by this that it is of no use */
        return -EOPNOTSUPP;
    cleanup_fd int fd = open_object(view, id, WANT_READ, "getxattr");
    if (fd < 0)
        return fd;
    ssize_t length = getxattr(proc_path(fd).text, name, value, VALUE_LIMIT);
    return length < 0 ? -errno : length;
}

void operation_getxattr(fuse_req_t request, fuse_ino_t id, const char *name, size_t size)
{
    cleanup_free char *value = malloc(VALUE_LIMIT);
    ssize_t length = value ? get_attribute(view_of(request), id, name, value) : -ENOMEM;
    reply_value(request, length, value, size);
}

/* Leaves the names that start with "user." in the list and returns its new length. */
static size_t keep_user_names(char *list, size_t length)
{
    size_t kept = 0;
    for (size_t at = 0; at < length;) {
        size_t size = strnlen(list + at, length - at - 1) + 1;
        if (is_user_attribute(list + at)) {
            memmove(list + kept, list + at, size);
            kept += size;
        }
        at += size;
    }
    return kept;
}

/* At `view` the list is empty and not refused, because `ls -l` asks for it. */
static ssize_t list_attributes(struct view *shared, fuse_ino_t id, char *list)
{
    cleanup_move_lock struct view *view = view_share(shared);
    cleanup_node struct node_hold hold;
    int failed = object_hold(view, id, &hold);
    if (failed)
        return -failed;
    bool readable = state_level(atomic_load(&hold.node->state)) >= LEVEL_READ;
    cleanup_fd int fd = open_object(view, id, WANT_SEE, "listxattr");
    if (!readable && fd >= 0)
        return 0;
    if (fd < 0)
        return fd == -ENODATA ? 0 : fd;
    ssize_t length = listxattr(proc_path(fd).text, list, LIST_LIMIT);
    return length < 0 ? -errno : (ssize_t)keep_user_names(list, (size_t)length);
}

void operation_listxattr(fuse_req_t request, fuse_ino_t id, size_t size)
{
    cleanup_free char *list = malloc(LIST_LIMIT);
    ssize_t length = list ? list_attributes(view_of(request), id, list) : -ENOMEM;
    reply_value(request, length, list, size);
}
