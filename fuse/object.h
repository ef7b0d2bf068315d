/*
 * What requests act on: the object behind a node, and a name in a directory. Both are opened after
 * the level check and closed at the end of the block.
 */
#ifndef SCOPEFS_FUSE_OBJECT_H
#define SCOPEFS_FUSE_OBJECT_H

#include "node.h"
#include "view.h"

#include <sys/stat.h>

/* Holds the node with this id in `*hold`, or answers ESTALE. */
int object_hold(struct view *view, fuse_ino_t id, struct node_hold *hold);

/* An O_PATH descriptor of the very object that the node stands for: by its path while that leads to
 * it, else through a handle that is still open. *attributes are the source's. Returns the
 * descriptor, which the caller owns, or a negative errno: ESTALE when another object took the name.
 */
int object_open(struct view *view, struct node *node, struct stat *attributes);

/* Whether this is the object that the node stands for. */
bool object_is_node(const struct node *node, const struct identity *found);

/* A name in a directory, for *at() calls. */
struct target {
    struct view *view;
    struct node *parent; /* held */
    const char *name;    /* the request's */
    const struct state *state;
    int directory_fd; /* O_PATH, or -1 */
};

#define cleanup_target __attribute__((cleanup(target_close)))

enum want;

/* Checks the level of the name and opens its directory. 0 or an errno. */
int target_open(struct view *view, fuse_ino_t parent, const char *name, enum want want,
                const char *operation, struct target *target);

/* The same without a descriptor of the directory, for a lookup. */
int target_find(struct view *view, fuse_ino_t parent, const char *name, const char *operation,
                struct target *target);
void target_close(struct target *target);

/* The answer of a lookup: reads what is at the target, hides what may not be seen, makes its node.
 * 0 and *entry, or an errno. */
int target_entry(const struct target *target, struct fuse_entry_param *entry);

/* An O_PATH descriptor of what is at the target if the kernel knows it, so that it can live on when
 * its name goes; else -1. */
int target_keep(const struct target *target);

#endif
