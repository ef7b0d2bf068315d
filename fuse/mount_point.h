/* Whether a view may be mounted: the checks on the source and on the place before anything changes.
 */
#ifndef SCOPEFS_FUSE_MOUNT_POINT_H
#define SCOPEFS_FUSE_MOUNT_POINT_H

#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>

struct mount_point {
    char *path;  /* absolute, without symlinks */
    int fd;      /* O_PATH */
    int made_fd; /* see made_place.h; -1: not made for this mount */
};

/* Opens the source of a scope: an O_PATH descriptor, or -1 with *error set when it is missing or
 * folds case though the scope does not say so. */
int mount_point_open_source(const struct scope *scope, struct error **error);

/* The path, absolute and without symlinks, as the mount table has it. The last component is not
 * looked at, because a view whose daemon died answers nothing. NULL with *error set; the caller
 * frees it. */
char *mount_point_clean_path(const char *path, struct error **error);

/* Opens the place, after these checks: it is an empty directory, not in use by a view, neither
 * inside the source nor around it by any route. `create`: a missing directory is made, and then
 * removed by mount_point_close. A view whose daemon died is taken away first. */
int mount_point_open(const char *path, bool create, int source_fd, struct mount_point *point,
                     struct error **error);

/* Closes it, and removes the directory if it was made for this mount. */
void mount_point_close(struct mount_point *point);

/* The same in a process that leaves the directory to another one. */
void mount_point_leave(struct mount_point *point);

/* Only removes it, if it was made, and nothing is mounted there. */
void mount_point_remove(struct mount_point *point);

#endif
