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
    CACHED_AGREED,     /* all of this in a directory that is not watched, where files are locked */
};

/* How long the scope lets the kernel keep what the host could change. Before the first request. */
void cache_configure(double seconds);

/* Timeouts are in seconds. For a name in a directory: that it leads to a node, that it does not,
 * and the attributes of what it leads to. */
double cache_entry_timeout(const struct node *directory, struct noticed noticed);
double cache_absence_timeout(const struct node *directory, struct noticed noticed);
double cache_found_timeout(const struct node *directory, struct noticed noticed,
                           const struct stat *attributes);

/* For the attributes of a node that the kernel has. */
double cache_attribute_timeout(struct node_tree *tree, struct node *node, struct noticed noticed,
                               const struct stat *attributes);

/* A process got a lock on the node's file, open as `fd`. What it reads from now on is what others
 * wrote who had the lock before, by whatever way. Not from a thread that serves requests unless
 * cache_times_are_exact. */
void cache_take_lock(struct view *view, struct node *node, int fd);

/* Whether no two changes of a file in this file system have the same time once somebody has looked
 * at the file in between. */
bool cache_times_are_exact(int fd);

/* For told_ns of a node in the directory (NULL: not said) when the kernel gets these attributes. */
int64_t cache_told_time(const struct node *directory, const struct stat *attributes);

/* Whether the attributes that the kernel was last told of the node are these. */
bool cache_was_told(const struct node *node, const struct stat *attributes);

/* The kernel shall look up every name again. */
void cache_forget_names(struct view *view);

/* Whether this kernel can be told that; before the first request. */
void cache_can_forget_names(bool can);

/* The kernel shall ask again for the attributes of this node: something changed them by another
 * name. Safe while requests on the node run, because no page and no lock of it is touched. False
 * when it does not know the node. */
bool cache_forget_attributes(struct view *view, uint64_t node_id);

/* In a node's told_ns: the kernel has no attributes that it would use without asking. */
#define CACHE_TOLD_NOTHING INT64_MIN

/* The same when it has some. While it asks for them it must not be told, because it drops the
 * answer then, and goes on with what it had before. */
bool cache_forget_told(struct view *view, struct node *node);

/* Whether the listing that the kernel holds of a directory with these attributes may be used by a
 * new open: it is still right, and what was looked up with it stays cached for a while yet. Reading
 * it anew brings fresh attributes of all entries in one go, which is cheaper than one by one. */
bool cache_keeps_listing(struct view *view, struct node *node, const struct stat *attributes);

/* The kernel begins to read the listing of a directory anew. */
void cache_note_listing(struct node *node);

/* Whether pages that the kernel holds of the node's file may be used by a new open of a file with
 * these attributes. */
bool cache_keeps_pages(struct view *view, struct node *node, const struct stat *attributes);

#endif
