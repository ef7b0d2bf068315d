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
 * it, else through a handle that is still open, if the object has no name at all any more. One that
 * has another name now is governed by the rule of that. *attributes are the source's. Returns the
 * descriptor, which the caller owns, or a negative errno: ESTALE when another object took the name.
 */
int object_open(struct view *view, struct node *node, struct stat *attributes);

/* The object that its path leads to, whether or not that is the node's. */
int object_open_by_name(struct view *view, struct node *node, struct stat *attributes,
                        struct identity *found);

/* The same to look at attributes only: also when the object has another name now. */
int object_open_to_look(struct view *view, struct node *node, struct stat *attributes);

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

/* What is at the target and known to the kernel, so that it can live on when its name goes. */
struct kept_object {
    int fd; /* O_PATH; -1: there is nothing to keep */
    nlink_t links;
};

#define cleanup_kept_object __attribute__((cleanup(kept_object_close)))

struct kept_object target_keep(const struct target *target);

/* After the name was removed: the descriptor for node_remove. It is closed if something else was
 * removed, because what was kept then lives on by a name with a rule of its own. */
int *kept_object_removed(struct kept_object *kept);
void kept_object_close(struct kept_object *kept);

#endif
