#include "operations.h"

#include "attributes.h"
#include "guard.h"
#include "object.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Whether what is at the name may get the other state by moving there: always for a file, whose
 * level is that of its path; for a directory only when no path below it changes its level. */
static int check_movable(const struct target *from, const struct target *to)
{
    struct stat attributes;
    struct identity identity;
    int failed = attributes_read(from->directory_fd, from->name, &attributes, &identity);
    if (failed)
        return failed;
    if (S_ISDIR(attributes.st_mode) && !state_equivalent(from->state, to->state))
        return EXDEV;
    return 0;
}

/* Another view of the same source, or the host, may have put a directory in the place of a file
 * between the check and the rename. Then it goes back. */
static int check_moved(const struct target *from, const struct target *to, unsigned flags)
{
    if (check_movable(to, from) != EXDEV)
        return 0;
    if (renameat2(to->directory_fd, to->name, from->directory_fd, from->name,
                  flags & RENAME_EXCHANGE ? RENAME_EXCHANGE : RENAME_NOREPLACE) < 0)
        log_error("%s: a directory that raced into a rename could not be moved back: %s",
                  from->view->name, strerrorname_np(errno));
    return EXDEV;
}

static int rename_checked(const struct target *from, const struct target *to, unsigned flags)
{
    struct node_tree *nodes = from->view->nodes;
    bool exchange = flags & RENAME_EXCHANGE;
    int failed = check_movable(from, to);
    if (!failed && exchange)
        failed = check_movable(to, from);
    if (failed)
        return failed;

    cleanup_fd int kept_fd = exchange ? -1 : target_keep(to);
    if (renameat2(from->directory_fd, from->name, to->directory_fd, to->name, flags) < 0)
        return errno;
    failed = check_moved(from, to, flags);
    if (!failed && exchange)
        failed = check_moved(to, from, flags);
    if (failed)
        return failed;

    if (exchange)
        node_exchange(nodes, from->parent, from->name, from->state, to->parent, to->name,
                      to->state);
    else
        node_move(nodes, from->parent, from->name, to->parent, to->name, to->state, &kept_fd);
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
