#include "operations.h"

#include "attributes.h"
#include "guard.h"
#include "object.h"
#include "resolve.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* How often somebody may put something at the new name again. */
enum { LINK_TRIES = 16 };

/* What link(2) answers where there are no hard links, or none of this file. */
static bool cannot_link(int failed)
{
    return failed == EPERM || failed == EMLINK || failed == EOPNOTSUPP || failed == ENOSYS;
}

/* Makes room at the name. 0, EISDIR, or EALREADY when it is a name of the very file already. */
static int clear_target(const struct target *to, const struct identity *file)
{
    struct stat attributes;
    struct identity found;
    int failed = attributes_read(to->directory_fd, to->name, &attributes, &found);
    if (failed)
        return failed == ENOENT ? 0 : failed;
    if (found.device == file->device && found.inode == file->inode)
        return EALREADY;
    if (S_ISDIR(found.type))
        return EISDIR;
    return unlinkat(to->directory_fd, to->name, 0) < 0 && errno != ENOENT ? errno : 0;
}

/* Gives the file behind `fd` the new name. */
static int link_to(const struct target *to, int fd, const struct identity *file, unsigned flags)
{
    char proc_name[16];
    snprintf(proc_name, sizeof(proc_name), "%d", fd);
    for (unsigned tries = 0; tries < LINK_TRIES; tries++) {
        if (linkat(to->view->proc_fds, proc_name, to->directory_fd, to->name, AT_SYMLINK_FOLLOW) ==
            0)
            return 0;
        if (errno != EEXIST || (flags & RENAME_NOREPLACE))
            return cannot_link(errno) ? EXDEV : errno;
        int failed = clear_target(to, file);
        if (failed)
            return failed;
    }
    return EBUSY;
}

/* Takes the name away if it still is the file's. 0 or an errno. */
static int drop_name(const struct target *target, const struct identity *file)
{
    struct stat attributes;
    struct identity found;
    if (attributes_read(target->directory_fd, target->name, &attributes, &found) != 0 ||
        found.device != file->device || found.inode != file->inode)
        return 0;
    return unlinkat(target->directory_fd, target->name, 0) < 0 && errno != ENOENT ? errno : 0;
}

/* Whether a name can be taken out of the directory, as far as its permissions tell. */
static int check_removal(const struct target *from)
{
    int flags = AT_EMPTY_PATH | AT_EACCESS;
    return faccessat(from->directory_fd, "", W_OK | X_OK, flags) < 0 ? errno : 0;
}

/* A file gets the level of its new name, whatever that is; for a directory that would change what
 * is hidden below it. rename(2) cannot be told to take files alone, and another view of the source,
 * or the host, may put a directory in the file's place at any moment. link(2) takes no directory.
 */
static int rename_file(const struct target *from, const struct target *to, unsigned flags)
{
    struct stat attributes;
    struct identity file;
    cleanup_fd int fd = resolve_in(from->view, from->directory_fd, from->name, O_PATH);
    if (fd < 0)
        return -fd;
    int failed = attributes_read(fd, NULL, &attributes, &file);
    if (!failed && S_ISDIR(file.type))
        failed = EXDEV;
    if (!failed)
        failed = check_removal(from);
    if (!failed)
        failed = link_to(to, fd, &file, flags);
    if (failed) /* two names of one file stay as they are (rename(2)) */
        return failed == EALREADY ? 0 : failed;
    failed = drop_name(from, &file);
    if (failed)
        drop_name(to, &file);
    return failed;
}

static int rename_source(const struct target *from, const struct target *to, unsigned flags)
{
    if (!state_equivalent(from->state, to->state))
        return flags & RENAME_EXCHANGE ? EXDEV : rename_file(from, to, flags);
    return renameat2(from->directory_fd, from->name, to->directory_fd, to->name, flags) < 0 ? errno
                                                                                            : 0;
}

static int rename_checked(const struct target *from, const struct target *to, unsigned flags)
{
    struct node_tree *nodes = from->view->nodes;
    bool exchange = flags & RENAME_EXCHANGE;
    cleanup_kept_object struct kept_object kept =
        exchange ? (struct kept_object){.fd = -1} : target_keep(to);
    int failed = rename_source(from, to, flags);
    if (failed)
        return failed;
    if (exchange)
        node_exchange(nodes, from->parent, from->name, from->state, to->parent, to->name,
                      to->state);
    else
        node_move(nodes, from->parent, from->name, to->parent, to->name, to->state,
                  kept_object_removed(&kept));
    return 0;
}

static int rename_alone(struct view *shared, fuse_ino_t parent, const char *name,
                        fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
        return EINVAL;
    cleanup_move_lock struct view *view = view_alone(shared);
    cleanup_target struct target from, to = {.directory_fd = -1};
    int failed = target_open(view, parent, name, WANT_CHANGE, "rename", &from);
    if (failed)
        return failed;
    enum want want = flags & RENAME_EXCHANGE ? WANT_CHANGE : WANT_CREATE;
    failed = target_open(view, new_parent, new_name, want, "rename to", &to);
    return failed ? failed : rename_checked(&from, &to, flags);
}

void operation_rename(fuse_req_t request, fuse_ino_t parent, const char *name,
                      fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
    fuse_reply_err(request,
                   rename_alone(view_of(request), parent, name, new_parent, new_name, flags));
}
