/*
 * Views in other mount namespaces than the caller's. A sandbox binds a view at a place of its own,
 * and uses it for as long as it runs; unshare(1) merely copies all mounts there are. Unmounting in
 * one namespace leaves the others as they are.
 */
#ifndef SCOPEFS_FUSE_ELSEWHERE_H
#define SCOPEFS_FUSE_ELSEWHERE_H

#include "scopefs/mount_table.h"
#include "scopefs/strbuf.h"

#include <stdbool.h>

struct elsewhere {
    struct elsewhere_view {
        unsigned major, minor;
        char *point;   /* in its namespace */
        pid_t process; /* one that lives there */
    } * views;
    size_t count;
};

#define cleanup_elsewhere __attribute__((cleanup(elsewhere_free)))

/* Looks at all processes that the caller may look at. */
void elsewhere_read(struct elsewhere *elsewhere);
void elsewhere_free(struct elsewhere *elsewhere);

/* In how many other namespaces the view is at a place of its own, as in a sandbox. */
size_t elsewhere_count_sandboxes(const struct elsewhere *elsewhere, const struct mount_row *row);

/* Whether somebody in another namespace uses the view: has it at another place, or stands in a
 * copy. Adds the processes' names to `users`. */
bool elsewhere_is_used(const struct elsewhere *elsewhere, const struct mount_row *row,
                       struct strbuf *users);

#endif
