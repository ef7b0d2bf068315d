/* What the kernel may cache of a view, and for how long: the one table. */
#ifndef SCOPEFS_FUSE_CACHE_H
#define SCOPEFS_FUSE_CACHE_H

#include "node.h"
#include "view.h"

#include <stdbool.h>
#include <sys/stat.h>

enum cached_thing {
    CACHED_ENTRY,      /* a name leads to a node */
    CACHED_ABSENCE,    /* a name leads to nothing, or to nothing that may be seen */
    CACHED_ATTRIBUTES, /* of an object with one name */
    CACHED_SHARED,     /* attributes of an object with several names */
};

/* Seconds. */
double cache_timeout(enum cached_thing thing);

/* The timeout for the attributes of this object. */
double cache_attribute_timeout(const struct stat *attributes);

/* The kernel shall ask again for the attributes of this node: something changed them by another name.
 * Safe while requests on the node run, because no page and no lock of it is touched. */
void cache_forget_attributes(struct view *view, uint64_t node_id);

/* Whether pages that the kernel holds of the node's file may be used by a new open of a file with
 * these attributes. */
bool cache_keeps_pages(struct node_tree *tree, struct node *node, const struct stat *attributes);

#endif
