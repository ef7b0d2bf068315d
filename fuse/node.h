/*
 * The tree of nodes that the kernel knows: each is one (parent, name), with the rule state of that
 * path. Ids are monotonic and never used twice. A node holds no descriptor while its name leads to
 * it; only after it lost its name through this view it keeps one, so that what is still open lives
 * on.
 *
 * When the object behind a name is another one than before (the host replaced it), the old node is
 * detached from the name and a new node takes it: no page or attribute of the old object is ever
 * shown as the new one's.
 *
 * Every function may be called from any thread.
 */
#ifndef SCOPEFS_FUSE_NODE_H
#define SCOPEFS_FUSE_NODE_H

#include "scopefs/policy.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define NODE_ROOT_ID 1 /* FUSE_ROOT_ID */

/* What the object behind a node is. Inode numbers are reused, so the birth time counts too. */
struct identity {
    dev_t device;
    ino_t inode;
    int64_t birth_ns; /* 0 where the source has none */
    mode_t type;      /* S_IFMT part */
};

/* The version of a file's content that the kernel's page cache may hold. */
struct content_version {
    int64_t modified_ns, changed_ns;
    off_t size;
    bool settled; /* the times were old enough to tell any later change */
};

struct node {
    uint64_t id;
    struct identity identity;            /* see node_renew */
    int64_t made_ns;                     /* CLOCK_MONOTONIC */
    _Atomic(const struct state *) state; /* changed by rename under the tree's write lock */
    atomic_uint_fast64_t holds;          /* kernel lookups, running requests and children */
    atomic_uint_fast64_t lookups;        /* the kernel's part of the holds */
    atomic_int_fast64_t told_ns;         /* change time of the attributes that the kernel has */
    atomic_bool watch_tried, watched;    /* of a directory, see watch.h */
    atomic_int watch_number;             /* while it is watched */
    atomic_uint changes;                 /* how many were noticed, in it or of it */
    atomic_bool told_absence;         /* of a directory: the kernel knows of a name that is not */
    atomic_uint running_lookups;      /* of names in a directory */
    atomic_int_fast64_t listed_ns;    /* of a directory: when it was last read, see cache.c */
    atomic_int kept_fd;               /* O_PATH, -1 unless the node lost its name */
    atomic_int_fast64_t folds_not_ns; /* of a directory: when it was seen not to fold case */
    atomic_bool folds;                /* of a directory: it was seen to do so */
    atomic_bool has_locked;           /* somebody locked this file, or a file in this directory */
    atomic_bool was_passed;           /* the kernel wrote this file by itself, see passthrough.c */

    /* Guarded by the tree's lock. */
    struct node *parent; /* NULL for the root and for a detached node */
    char *name;
    uint32_t name_length;
    uint32_t name_hash;
    bool detached;
    char *last_path;     /* of a detached node: by which new rules judge it */
    uint32_t generation; /* of the rules that `state` is from */
    struct node *next_by_id, *next_by_name;
    struct node *next_kept; /* of those with a kept_fd */

    /* Guarded by the tree's content lock. */
    struct content_version content; /* at the last open */
    struct content_version locked;  /* when a process last got a lock on the file */
};

struct node_tree;

/* The time of made_ns and the like: of CLOCK_MONOTONIC, some milliseconds behind, at no cost. */
int64_t node_now(void);

/* NULL when memory is gone. */
struct node_tree *node_tree_new(const struct state *root_state, const struct identity *root);
void node_tree_free(struct node_tree *tree);

/* Whom to tell before the last kept descriptor of an object is closed: each name that it lost had a
 * node of its own. Set once, before requests. */
void node_tree_on_close(struct node_tree *tree, void (*tell)(void *data, int kept_fd), void *data);

/* Whom to tell of each node that is freed while requests come, under the tree's lock. Set once,
 * before requests. */
void node_tree_on_free(struct node_tree *tree, void (*tell)(void *data, const struct node *node),
                       void *data);

/* How many nodes there are, the root included. */
size_t node_tree_count(struct node_tree *tree);

/* The node with this id, held until node_put; NULL when there is none. */
struct node *node_get(struct node_tree *tree, uint64_t id);
void node_put(struct node_tree *tree, struct node *node);

/* The node that the kernel has by this name, held; NULL when there is none. */
struct node *node_get_child(struct node_tree *tree, struct node *parent, const char *name);

#define cleanup_node __attribute__((cleanup(node_hold_cleanup)))
struct node_hold {
    struct node_tree *tree;
    struct node *node;
};
void node_hold_cleanup(struct node_hold *hold);

/* The kernel looked the name up and found an object: finds or makes its node, counts one lookup,
 * and returns its id; 0 when memory is gone. */
uint64_t node_enter(struct node_tree *tree, struct node *parent, const char *name,
                    const struct state *state, const struct identity *identity, int64_t told_ns);

/* The kernel has a new file in the directory that has no name: it is judged by the directory's
 * path, and takes over *kept_fd as by node_remove. Its id, with one lookup counted; 0 without
 * memory. */
uint64_t node_enter_nameless(struct node_tree *tree, struct node *directory,
                             const struct identity *identity, int *kept_fd);

/* A nameless node's file got a name, at which the kernel knows nothing. */
void node_give_name(struct node_tree *tree, struct node *node, struct node *parent,
                    const char *name, const struct state *state);

void node_forget(struct node_tree *tree, uint64_t id, uint64_t lookups);

/* The kernel forgot many nodes: their memory goes back to the host once it is worth the work. */
void node_tree_give_back(struct node_tree *tree);

/* Whether the kernel knows something by this name. */
bool node_known(struct node_tree *tree, struct node *parent, const char *name);

/* Whether what it knows by this name is this object. */
bool node_stands_for(struct node_tree *tree, struct node *parent, const char *name,
                     const struct identity *identity);

/* The node's name leads to something else by now, or to nothing: a later lookup makes a new node.
 * False when it had no name any more. */
bool node_lose_name(struct node_tree *tree, struct node *node);

/* Whether this is the object that the node stands for. */
bool node_is(struct node_tree *tree, const struct node *node, const struct identity *found);

/* The birth_ns of the node with this id; 0 when there is none. */
int64_t node_birth(struct node_tree *tree, uint64_t id);

/* Whether the kernel got to know the node just now. */
bool node_is_fresh(const struct node *node);

/* Lets a fresh node of a regular file stand for another file that its name leads to by now; only
 * while nobody has it open. True when it then does. */
bool node_renew(struct node_tree *tree, struct node *node, const struct identity *found);

/* The name is gone. If the kernel knows a node by it, that is detached and takes over `*kept_fd`
 * (an O_PATH descriptor of the object, or -1), which then becomes -1. */
void node_remove(struct node_tree *tree, struct node *parent, const char *name, int *kept_fd);

/* The object was renamed; what was at the target is removed as by node_remove. */
void node_move(struct node_tree *tree, struct node *old_parent, const char *old_name,
               struct node *new_parent, const char *new_name, const struct state *new_state,
               int *kept_fd);
void node_exchange(struct node_tree *tree, struct node *one_parent, const char *one_name,
                   const struct state *one_state, struct node *other_parent, const char *other_name,
                   const struct state *other_state);

/* Calls `visit` for every node, with the tree's lock held alone. */
void node_tree_each(struct node_tree *tree, void (*visit)(void *data, struct node *node),
                    void *data);

/* A process locked the node's file, which has this version. True when it is the one that the
 * process found which locked it before. *is_first: no file in its directory was locked before, and
 * that is not watched. */
bool node_set_locked(struct node_tree *tree, struct node *node,
                     const struct content_version *version, bool *is_first);

/* Whether a file in this directory was ever locked, and changes in it are not noticed. */
bool node_is_agreed(const struct node *directory);

/* Whether the node is in such a directory. */
bool node_is_in_agreed(struct node_tree *tree, struct node *node);

/* Whether changes are noticed of what is read from now on (watch.h). */
struct noticed {
    bool name;        /* where it leads, and the attributes of a file that has no other name */
    bool inside;      /* a directory's own attributes, which change with what is in it */
    unsigned changes; /* that were noticed until then */
};

struct noticed node_noticed(struct node_tree *tree, struct node *node);

/* For what the name in a directory leads to; NULL: for its absence. */
struct noticed node_noticed_child(struct node_tree *tree, struct node *directory, const char *name);

/* After something was read and told_ns was set: nothing, if there was a change in between that may
 * have been noticed without regard to what was read. */
struct noticed noticed_since(struct noticed before, struct noticed now);

/* A path relative to a descriptor. Small ones need no allocation. */
struct node_path {
    int base_fd; /* borrowed: the kept descriptor of a nameless node, or -1 for the view's root */
    char *bytes; /* NUL-terminated, "" for the base itself */
    size_t length;
    char small[512];
};

#define cleanup_node_path __attribute__((cleanup(node_path_free)))

/* The path of the node, or of `name` in it when that is not NULL. 0 or an errno: ESTALE when the
 * node has no name any more and keeps no descriptor, ENOMEM. */
int node_path(struct node_tree *tree, struct node *node, const char *name, struct node_path *path);
void node_path_free(struct node_path *path);

/* Records the version of a regular file's content. True when it is the one recorded before, so that
 * what the kernel has cached of it is still right. */
bool node_content_same(struct node_tree *tree, struct node *node,
                       const struct content_version *version);

#endif
