/*
 * Sources that take two spellings of a name for the same (upper and lower case): there a rule for
 * one spelling misses the other. Whole file systems are found when a view is mounted. ext4, f2fs,
 * tmpfs and bcachefs can fold in single directories, also below a source that does not; these are
 * found when they are first looked into, and everything in them is hidden unless the scope ignores
 * case.
 */
#ifndef SCOPEFS_FUSE_FOLDING_H
#define SCOPEFS_FUSE_FOLDING_H

#include "node.h"
#include "view.h"

/* Whether this directory, an O_PATH descriptor, folds case: by its file system's type, its own
 * flag, or because an entry of it is found by another spelling. */
bool folding_source(int directory_fd);

/* Whether single directories of its file system may fold case on this kernel. */
bool folding_is_possible(int directory_fd);

/* Whether the directory node does; always false where the scope ignores case. A directory of which
 * that cannot be found out does. */
bool folding_directory(struct view *view, struct node *node);

/* The same, after something in it was changed on the host. */
bool folding_directory_changed(struct view *view, struct node *node);

#endif
