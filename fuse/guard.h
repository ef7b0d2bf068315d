/*
 * The level check that comes before the source is touched, and the errno table: what a refused
 * operation answers depends on the path's level and the operation alone.
 */
#ifndef SCOPEFS_FUSE_GUARD_H
#define SCOPEFS_FUSE_GUARD_H

#include "node.h"
#include "view.h"

enum want {
    WANT_SEE,         /* lookup, stat, list a directory */
    WANT_READ,        /* content, link target, attribute values */
    WANT_CHANGE,      /* content, times, attributes, remove, rename away */
    WANT_CHANGE_MODE, /* chmod, chown */
    WANT_CREATE,      /* make something at a name, rename onto it */
};

/* 0, or the errno that the table has for a path with this state. `is_directory`: what is there is
 * known to be a directory, so that a way through is seen. */
int guard_check(const struct state *state, bool is_directory, enum want want);

/* The check for a node that the kernel holds. What was decided is recorded as `operation`. */
int guard_node(struct view *view, struct node *node, enum want want, const char *operation);

/* The check for `name` in a directory node, which itself needs only be seen. On success *state is
 * the name's state. */
int guard_name(struct view *view, struct node *parent, const char *name, enum want want,
               const char *operation, const struct state **state);

#endif
