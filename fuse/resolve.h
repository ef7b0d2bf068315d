/*
 * The only file that opens a path of the source. Every open starts from the view's root descriptor
 * and follows no symlink and no magic link, so that the object found is the one that the rule of
 * the path speaks of. All functions return a descriptor that the caller owns, or a negative errno.
 */
#ifndef SCOPEFS_FUSE_RESOLVE_H
#define SCOPEFS_FUSE_RESOLVE_H

#include "node.h"
#include "view.h"

#include <sys/stat.h>

/* Opens the source directory of a view before there is a tree. */
int resolve_source(const char *path);

/* Opens what the node's path, or `name` in it, leads to now (open(2) flags; O_NOFOLLOW and
 * O_CLOEXEC are added). ESTALE when the node's own name is gone. */
int resolve_open(struct view *view, struct node *node, const char *name, int flags);

/* O_PATH | O_DIRECTORY of the directory node: the place for *at() calls with one name. */
int resolve_directory(struct view *view, struct node *node);

/* Opens one name in such a directory. */
int resolve_in(struct view *view, int directory_fd, const char *name, int flags);

/* Creates and opens a regular file in a directory. */
int resolve_create(int directory_fd, const char *name, int flags, mode_t mode);

/* The same for a file without a name (open(2), O_TMPFILE). */
int resolve_create_nameless(int directory_fd, int flags, mode_t mode);

/* Opens the object behind an O_PATH descriptor, also when it has no name any more. */
int resolve_reopen(struct view *view, int path_fd, int flags);

#endif
