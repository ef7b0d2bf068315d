/* From the source's attributes to those that the view shows at a path's level. */
#ifndef SCOPEFS_FUSE_ATTRIBUTES_H
#define SCOPEFS_FUSE_ATTRIBUTES_H

#include "node.h"
#include "view.h"

#include <sys/stat.h>

/* Reads attributes and identity of an open object, or of `name` in a directory when that is not
 * NULL (no symlink is followed). 0 or an errno: EXDEV when something is mounted at the name. */
int attributes_read(int fd, const char *name, struct stat *attributes, struct identity *identity);

/* The same in the form of statx(2), with the time of birth unless that is 0. */
void attributes_extend(const struct stat *attributes, int64_t birth_ns, struct statx *extended);

/* Changes the attributes to what may be shown of a path with this state. */
void attributes_mask(const struct view *view, const struct state *state, struct stat *attributes);

#endif
