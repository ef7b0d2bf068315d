/* What the files of the node tree share: the tree, and the steps that each need its lock. */
#ifndef SCOPEFS_FUSE_NODE_INTERNAL_H
#define SCOPEFS_FUSE_NODE_INTERNAL_H

#include "node.h"

#include <pthread.h>

/* Lock order: lock, then content_lock. Neither is held across a system call on the source,
 * but for the closing of a kept descriptor. */
enum { SLOTS_AT_START = 256 };

struct node_tree {
    pthread_rwlock_t lock;
    struct node **by_id, **by_name; /* chains; `slots` of each, a power of two */
    size_t slots, count, peak;      /* peak: the largest count since memory was given back */
    uint64_t last_id;
    struct node *root;
    struct node *kept; /* the nodes with a kept_fd */
    pthread_mutex_t content_lock;
    void (*on_close)(void *data, int kept_fd);
    void *on_close_data;
    void (*on_free)(void *data, const struct node *node);
    void *on_free_data;
};

/* node_table.c: the two tables of chains. Finding needs the lock, changing needs it alone. */
struct node *node_find_id(struct node_tree *tree, uint64_t id);
struct node *node_find_child(struct node_tree *tree, const struct node *parent, const char *name,
                             size_t length);
void node_link_id(struct node_tree *tree, struct node *node);
void node_unlink_id(struct node_tree *tree, struct node *node);
void node_unlink_name(struct node_tree *tree, struct node *node);
void node_table_grow(struct node_tree *tree);
void node_table_shrink(struct node_tree *tree);

/* Puts a node that is in no name chain under (parent, name). `name` is taken over. */
void node_attach(struct node_tree *tree, struct node *node, struct node *parent, char *name,
                 size_t length);

/* node.c: frees the node if nothing holds it, then its parent if that was the last hold on it, and
 * so on. Needs the lock alone. */
void node_reap(struct node_tree *tree, struct node *node);

/* node_kept.c: the node keeps *kept_fd, which becomes -1, if there is one; and the end of that.
 * Both need the lock alone. */
void node_keep(struct node_tree *tree, struct node *node, int *kept_fd);
void node_end_keeping(struct node_tree *tree, struct node *node);

/* node_rename.c: takes the node's name away. Needs the lock alone; the node is held by somebody. */
void node_detach(struct node_tree *tree, struct node *node, int *kept_fd);

/* node_path.c: the length of the path from *base, a node without a parent, with a slash before each
 * name; then the names, written so that the last one stops at `end`. */
size_t node_path_length(const struct node *node, const struct node **base);
void node_write_names(const struct node *node, char *end);

/* The path from the root, also below a directory that is detached itself. NULL without memory. */
char *node_full_path(const struct node *node);

#endif
