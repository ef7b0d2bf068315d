#include "node.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Lock order: lock, then content_lock. Neither is held across a system call on the source,
 * but for the closing of a kept descriptor. */
struct node_tree {
    pthread_rwlock_t lock;
    struct node **by_id, **by_name; /* chains; `slots` of each, a power of two */
    size_t slots, count;
    uint64_t last_id;
    struct node *root;
    pthread_mutex_t content_lock;
    void (*on_close)(void *data, int kept_fd);
    void *on_close_data;
};

enum { SLOTS_AT_START = 256 };

/* FNV-1a; keyed by the parent's id, so that one name in many directories spreads. */
static uint32_t hash_name(uint64_t parent_id, const char *name, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u ^ (parent_id * 0x9e3779b97f4a7c15u);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
    return (uint32_t)(hash ^ (hash >> 32));
}

static size_t id_slot(const struct node_tree *tree, uint64_t id)
{
    return (size_t)id & (tree->slots - 1);
}

static size_t name_slot(const struct node_tree *tree, uint32_t hash)
{
    return hash & (tree->slots - 1);
}

static struct node *find_id(struct node_tree *tree, uint64_t id)
{
    struct node *node = tree->by_id[id_slot(tree, id)];
    while (node && node->id != id)
        node = node->next_by_id;
    return node;
}

static struct node *find_child(struct node_tree *tree, const struct node *parent, const char *name,
                               size_t length)
{
    uint32_t hash = hash_name(parent->id, name, length);
    struct node *node = tree->by_name[name_slot(tree, hash)];
    while (node && !(node->name_hash == hash && node->parent == parent &&
                     node->name_length == length && memcmp(node->name, name, length) == 0))
        node = node->next_by_name;
    return node;
}

static void link_id(struct node_tree *tree, struct node *node)
{
    struct node **slot = &tree->by_id[id_slot(tree, node->id)];
    node->next_by_id = *slot;
    *slot = node;
}

static void link_name(struct node_tree *tree, struct node *node)
{
    struct node **slot = &tree->by_name[name_slot(tree, node->name_hash)];
    node->next_by_name = *slot;
    *slot = node;
}

static void unlink_id(struct node_tree *tree, struct node *node)
{
    struct node **at = &tree->by_id[id_slot(tree, node->id)];
    while (*at != node)
        at = &(*at)->next_by_id;
    *at = node->next_by_id;
}

static void unlink_name(struct node_tree *tree, struct node *node)
{
    struct node **at = &tree->by_name[name_slot(tree, node->name_hash)];
    while (*at != node)
        at = &(*at)->next_by_name;
    *at = node->next_by_name;
}

/* Growing is an optimisation: without memory the chains only get longer. */
static void grow(struct node_tree *tree)
{
    if (tree->count < tree->slots)
        return;
    size_t slots = tree->slots * 2;
    struct node **by_id = calloc(slots, sizeof(struct node *));
    struct node **by_name = calloc(slots, sizeof(struct node *));
    if (!by_id || !by_name) {
        free(by_id);
        free(by_name);
        return;
    }
    struct node **old_by_id = tree->by_id;
    size_t old_slots = tree->slots;
    free(tree->by_name);
    tree->by_id = by_id;
    tree->by_name = by_name;
    tree->slots = slots;
    for (size_t i = 0; i < old_slots; i++) {
        for (struct node *node = old_by_id[i], *next; node; node = next) {
            next = node->next_by_id;
            link_id(tree, node);
            if (node->parent)
                link_name(tree, node);
        }
    }
    free(old_by_id);
}

static void free_node(struct node_tree *tree, struct node *node)
{
    int kept = atomic_load(&node->kept_fd);
    if (kept >= 0 && tree->on_close)
        tree->on_close(tree->on_close_data, kept);
    fd_close(&kept);
    free(node->name);
    free(node->last_path);
    free(node);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct node *make_node(const struct state *state, const struct identity *identity)
{
    struct node *node = calloc(1, sizeof(*node));
    if (!node)
        return NULL;
    node->identity = *identity;
    node->made_ns = now_ns();
    atomic_init(&node->state, state);
    atomic_init(&node->holds, 0);
    atomic_init(&node->lookups, 0);
    atomic_init(&node->listed_ns, INT64_MIN / 2);
    atomic_init(&node->kept_fd, -1);
    atomic_init(&node->has_locked, false);
    return node;
}

/* Puts a node that is in no name chain under (parent, name). `name` is taken over. */
static void attach(struct node_tree *tree, struct node *node, struct node *parent, char *name,
                   size_t length)
{
    node->parent = parent;
    node->name = name;
    node->name_length = (uint32_t)length;
    node->name_hash = hash_name(parent->id, name, length);
    node->detached = false;
    atomic_fetch_add(&parent->holds, 1);
    link_name(tree, node);
}

/* Frees the node if nothing holds it, then its parent if that was the last hold on it, and so on.
 * The write lock is held. */
static void reap(struct node_tree *tree, struct node *node)
{
    while (node && node != tree->root && atomic_load(&node->holds) == 0) {
        struct node *parent = node->parent;
        if (parent)
            unlink_name(tree, node);
        unlink_id(tree, node);
        tree->count--;
        free_node(tree, node);
        if (parent)
            atomic_fetch_sub(&parent->holds, 1);
        node = parent;
    }
}

static size_t path_length(const struct node *node, const struct node **base)
{
    size_t length = 0;
    for (; node->parent; node = node->parent)
        length += node->name_length + 1u;
    *base = node;
    return length;
}

/* Writes the names from the end; `end` points behind the last byte. */
static void write_names(const struct node *node, char *end)
{
    for (; node->parent; node = node->parent) {
        end -= node->name_length;
        memcpy(end, node->name, node->name_length);
        *--end = '/';
    }
}

/* The path from the root, also below a directory that is detached itself. NULL without memory. */
static char *full_path(const struct node *node)
{
    const struct node *base;
    size_t length = path_length(node, &base);
    const char *before = base->last_path ? base->last_path : "";
    size_t before_length = strlen(before);
    char *path = malloc(before_length + length + 1);
    if (!path || (base->detached && !base->last_path)) {
        free(path);
        return NULL;
    }
    memcpy(path, before, before_length);
    write_names(node, path + before_length + length);
    path[before_length + length] = '\0';
    return path;
}

/* Takes the node's name away. The write lock is held, and the node is held by somebody. */
static void detach(struct node_tree *tree, struct node *node, int *kept_fd)
{
    struct node *parent = node->parent;
    node->last_path = full_path(node);
    unlink_name(tree, node);
    node->parent = NULL;
    node->detached = true;
    if (kept_fd && *kept_fd >= 0)
        atomic_store(&node->kept_fd, fd_steal(kept_fd));
    atomic_fetch_sub(&parent->holds, 1);
    reap(tree, parent);
}

/* Drops holds and frees the node with the last one. Found by its id again, because between the last
 * hold and the write lock another thread may have freed it. */
static void drop_holds(struct node_tree *tree, struct node *node, uint64_t holds)
{
    uint64_t id = node->id;
    if (atomic_fetch_sub(&node->holds, holds) != holds)
        return;
    pthread_rwlock_wrlock(&tree->lock);
    struct node *found = find_id(tree, id);
    if (found)
        reap(tree, found);
    pthread_rwlock_unlock(&tree->lock);
}

struct node_tree *node_tree_new(const struct state *root_state, const struct identity *root)
{
    struct node_tree *tree = calloc(1, sizeof(*tree));
    if (!tree)
        return NULL;
    tree->slots = SLOTS_AT_START;
    tree->by_id = calloc(tree->slots, sizeof(struct node *));
    tree->by_name = calloc(tree->slots, sizeof(struct node *));
    tree->root = make_node(root_state, root);
    if (!tree->by_id || !tree->by_name || !tree->root) {
        free(tree->by_id);
        free(tree->by_name);
        free(tree->root);
        free(tree);
        return NULL;
    }
    pthread_rwlock_init(&tree->lock, NULL);
    pthread_mutex_init(&tree->content_lock, NULL);
    tree->root->id = tree->last_id = NODE_ROOT_ID;
    atomic_store(&tree->root->holds, 1);
    link_id(tree, tree->root);
    tree->count = 1;
    return tree;
}

void node_tree_on_close(struct node_tree *tree, void (*tell)(void *data, int kept_fd), void *data)
{
    tree->on_close = tell;
    tree->on_close_data = data;
}

void node_tree_free(struct node_tree *tree)
{
    if (!tree)
        return;
    for (size_t i = 0; i < tree->slots; i++) {
        for (struct node *node = tree->by_id[i], *next; node; node = next) {
            next = node->next_by_id;
            free_node(tree, node);
        }
    }
    free(tree->by_id);
    free(tree->by_name);
    pthread_rwlock_destroy(&tree->lock);
    pthread_mutex_destroy(&tree->content_lock);
    free(tree);
}

void node_tree_each(struct node_tree *tree, void (*visit)(void *data, struct node *node),
                    void *data)
{
    pthread_rwlock_wrlock(&tree->lock);
    for (size_t i = 0; i < tree->slots; i++)
        for (struct node *node = tree->by_id[i]; node; node = node->next_by_id)
            visit(data, node);
    pthread_rwlock_unlock(&tree->lock);
}

size_t node_tree_count(struct node_tree *tree)
{
    pthread_rwlock_rdlock(&tree->lock);
    size_t count = tree->count;
    pthread_rwlock_unlock(&tree->lock);
    return count;
}

struct node *node_get(struct node_tree *tree, uint64_t id)
{
    pthread_rwlock_rdlock(&tree->lock);
    struct node *node = find_id(tree, id);
    if (node)
        atomic_fetch_add(&node->holds, 1);
    pthread_rwlock_unlock(&tree->lock);
    return node;
}

void node_put(struct node_tree *tree, struct node *node)
{
    drop_holds(tree, node, 1);
}

void node_hold_cleanup(struct node_hold *hold)
{
    if (hold->node)
        node_put(hold->tree, hold->node);
    hold->node = NULL;
}

static bool same_identity(const struct identity *one, const struct identity *other)
{
    return one->device == other->device && one->inode == other->inode &&
           one->birth_ns == other->birth_ns && one->type == other->type;
}

/* The id of the child if it is this very object, with one more lookup; 0 otherwise. Any lock. */
static uint64_t enter_known(struct node *node, const struct identity *identity)
{
    if (!node || !same_identity(&node->identity, identity))
        return 0;
    atomic_fetch_add(&node->holds, 1);
    atomic_fetch_add(&node->lookups, 1);
    return node->id;
}

uint64_t node_enter(struct node_tree *tree, struct node *parent, const char *name,
                    const struct state *state, const struct identity *identity)
{
    size_t length = strlen(name);
    pthread_rwlock_rdlock(&tree->lock);
    uint64_t id = enter_known(find_child(tree, parent, name, length), identity);
    pthread_rwlock_unlock(&tree->lock);
    if (id)
        return id;

    struct node *made = make_node(state, identity);
    char *own_name = strdup(name);
    if (!made || !own_name) {
        free(made);
        free(own_name);
        return 0;
    }
    pthread_rwlock_wrlock(&tree->lock);
    struct node *known = find_child(tree, parent, name, length);
    id = enter_known(known, identity);
    if (!id) {
        if (known)
            detach(tree, known, NULL);
        grow(tree);
        made->id = id = ++tree->last_id;
        atomic_store(&made->holds, 1);
        atomic_store(&made->lookups, 1);
        link_id(tree, made);
        attach(tree, made, parent, own_name, length);
        tree->count++;
        made = NULL;
        own_name = NULL;
    }
    pthread_rwlock_unlock(&tree->lock);
    free(made);
    free(own_name);
    return id;
}

void node_forget(struct node_tree *tree, uint64_t id, uint64_t lookups)
{
    struct node *node = node_get(tree, id);
    if (!node)
        return;
    uint64_t have = atomic_load(&node->lookups), drop;
    do
        drop = lookups < have ? lookups : have;
    while (!atomic_compare_exchange_weak(&node->lookups, &have, have - drop));
    drop_holds(tree, node, drop + 1);
}

bool node_known(struct node_tree *tree, struct node *parent, const char *name)
{
    pthread_rwlock_rdlock(&tree->lock);
    bool known = find_child(tree, parent, name, strlen(name)) != NULL;
    pthread_rwlock_unlock(&tree->lock);
    return known;
}

bool node_stands_for(struct node_tree *tree, struct node *parent, const char *name,
                     const struct identity *identity)
{
    pthread_rwlock_rdlock(&tree->lock);
    const struct node *node = find_child(tree, parent, name, strlen(name));
    bool stands = node && same_identity(&node->identity, identity);
    pthread_rwlock_unlock(&tree->lock);
    return stands;
}

bool node_is(struct node_tree *tree, const struct node *node, const struct identity *found)
{
    pthread_rwlock_rdlock(&tree->lock);
    bool is = same_identity(&node->identity, found);
    pthread_rwlock_unlock(&tree->lock);
    return is;
}

bool node_is_fresh(const struct node *node)
{
    return S_ISREG(node->identity.type) && now_ns() - node->made_ns < 1000000000;
}

bool node_renew(struct node_tree *tree, struct node *node, const struct identity *found)
{
    if (!node_is_fresh(node) || found->type != node->identity.type)
        return false;
    pthread_rwlock_wrlock(&tree->lock);
    bool named = node->parent;
    if (named) {
        node->identity.device = found->device;
        node->identity.inode = found->inode;
        node->identity.birth_ns = found->birth_ns;
    }
    pthread_rwlock_unlock(&tree->lock);
    return named;
}

bool node_lose_name(struct node_tree *tree, struct node *node)
{
    pthread_rwlock_wrlock(&tree->lock);
    bool had = node->parent;
    if (had)
        detach(tree, node, NULL);
    pthread_rwlock_unlock(&tree->lock);
    return had;
}

void node_remove(struct node_tree *tree, struct node *parent, const char *name, int *kept_fd)
{
    pthread_rwlock_wrlock(&tree->lock);
    struct node *node = find_child(tree, parent, name, strlen(name));
    if (node)
        detach(tree, node, kept_fd);
    pthread_rwlock_unlock(&tree->lock);
}

/* Gives the node another place. The write lock is held. Without memory for the name the node is
 * detached instead: the next lookup makes a new one. */
static void replace(struct node_tree *tree, struct node *node, struct node *parent,
                    const char *name, const struct state *state)
{
    char *own_name = strdup(name);
    if (!own_name) {
        detach(tree, node, NULL);
        return;
    }
    struct node *old_parent = node->parent;
    unlink_name(tree, node);
    free(node->name);
    atomic_store(&node->state, state);
    attach(tree, node, parent, own_name, strlen(own_name));
    atomic_fetch_sub(&old_parent->holds, 1);
    reap(tree, old_parent);
}

void node_move(struct node_tree *tree, struct node *old_parent, const char *old_name,
               struct node *new_parent, const char *new_name, const struct state *new_state,
               int *kept_fd)
{
    pthread_rwlock_wrlock(&tree->lock);
    struct node *moved = find_child(tree, old_parent, old_name, strlen(old_name));
    struct node *target = find_child(tree, new_parent, new_name, strlen(new_name));
    if (target && target != moved)
        detach(tree, target, kept_fd);
    if (moved && target != moved)
        replace(tree, moved, new_parent, new_name, new_state);
    pthread_rwlock_unlock(&tree->lock);
}

void node_exchange(struct node_tree *tree, struct node *one_parent, const char *one_name,
                   const struct state *one_state, struct node *other_parent, const char *other_name,
                   const struct state *other_state)
{
    pthread_rwlock_wrlock(&tree->lock);
    struct node *one = find_child(tree, one_parent, one_name, strlen(one_name));
    struct node *other = find_child(tree, other_parent, other_name, strlen(other_name));
    if (one && one != other)
        replace(tree, one, other_parent, other_name, other_state);
    if (other && one != other)
        replace(tree, other, one_parent, one_name, one_state);
    pthread_rwlock_unlock(&tree->lock);
}

int node_path(struct node_tree *tree, struct node *node, const char *name, struct node_path *path)
{
    size_t extra = name ? strlen(name) + 1 : 0;
    int result = 0;
    path->bytes = path->small;
    path->base_fd = -1;
    path->length = 0;
    path->small[0] = '\0';

    pthread_rwlock_rdlock(&tree->lock);
    const struct node *base;
    size_t length = path_length(node, &base);
    path->base_fd = base->detached ? atomic_load(&base->kept_fd) : -1;
    if (base->detached && path->base_fd < 0)
        result = ESTALE;
    else if (length + extra + 1 > sizeof(path->small) &&
             !(path->bytes = malloc(length + extra + 1)))
        result = ENOMEM;
    if (result == 0) {
        write_names(node, path->bytes + length);
        if (name) {
            path->bytes[length] = '/';
            memcpy(path->bytes + length + 1, name, extra - 1);
        }
        path->length = length + extra;
        path->bytes[path->length] = '\0';
        if (path->length) /* without the leading slash */
            memmove(path->bytes, path->bytes + 1, path->length--);
    }
    pthread_rwlock_unlock(&tree->lock);
    return result;
}

void node_path_free(struct node_path *path)
{
    if (path->bytes != path->small)
        free(path->bytes);
    path->bytes = NULL;
}

bool node_is_beside_locked(struct node_tree *tree, struct node *node)
{
    pthread_rwlock_rdlock(&tree->lock);
    bool is = node->parent && atomic_load(&node->parent->has_locked);
    pthread_rwlock_unlock(&tree->lock);
    return is;
}

static bool replace_version(struct node_tree *tree, struct content_version *known,
                            const struct content_version *version)
{
    pthread_mutex_lock(&tree->content_lock);
    bool same = known->settled && known->modified_ns == version->modified_ns &&
                known->changed_ns == version->changed_ns && known->size == version->size;
    *known = *version;
    pthread_mutex_unlock(&tree->content_lock);
    return same;
}

bool node_content_same(struct node_tree *tree, struct node *node,
                       const struct content_version *version)
{
    return replace_version(tree, &node->content, version);
}

bool node_set_locked(struct node_tree *tree, struct node *node,
                     const struct content_version *version)
{
    if (!atomic_exchange(&node->has_locked, true)) {
        pthread_rwlock_rdlock(&tree->lock);
        if (node->parent)
            atomic_store(&node->parent->has_locked, true);
        pthread_rwlock_unlock(&tree->lock);
    }
    return replace_version(tree, &node->locked, version);
}
