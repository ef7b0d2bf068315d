#include "node_internal.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static void free_node(struct node_tree *tree, struct node *node)
{
    node_end_keeping(tree, node);
    free(node->name);
    free(node->last_path);
    free(node);
}

int64_t node_now(void)
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
    node->made_ns = node_now();
    atomic_init(&node->state, state);
    atomic_init(&node->holds, 0);
    atomic_init(&node->lookups, 0);
    atomic_init(&node->listed_ns, INT64_MIN / 2);
    atomic_init(&node->folds_not_ns, INT64_MIN / 2);
    atomic_init(&node->folds, false);
    atomic_init(&node->kept_fd, -1);
    atomic_init(&node->has_locked, false);
    return node;
}

void node_reap(struct node_tree *tree, struct node *node)
{
    while (node && node != tree->root && atomic_load(&node->holds) == 0) {
        struct node *parent = node->parent;
        if (parent)
            node_unlink_name(tree, node);
        node_unlink_id(tree, node);
        tree->count--;
        if (tree->on_free)
            tree->on_free(tree->on_free_data, node);
        free_node(tree, node);
        if (parent)
            atomic_fetch_sub(&parent->holds, 1);
        node = parent;
    }
}

/* Drops holds and frees the node with the last one. Found by its id again, because between the last
 * hold and the write lock another thread may have freed it. */
static void drop_holds(struct node_tree *tree, struct node *node, uint64_t holds)
{
    uint64_t id = node->id;
    if (atomic_fetch_sub(&node->holds, holds) != holds)
        return;
    pthread_rwlock_wrlock(&tree->lock);
    struct node *found = node_find_id(tree, id);
    if (found)
        node_reap(tree, found);
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
    node_link_id(tree, tree->root);
    tree->count = 1;
    return tree;
}

void node_tree_on_close(struct node_tree *tree, void (*tell)(void *data, int kept_fd), void *data)
{
    tree->on_close = tell;
    tree->on_close_data = data;
}

void node_tree_on_free(struct node_tree *tree, void (*tell)(void *data, const struct node *node),
                       void *data)
{
    tree->on_free = tell;
    tree->on_free_data = data;
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
    struct node *node = node_find_id(tree, id);
    if (node)
        atomic_fetch_add(&node->holds, 1);
    pthread_rwlock_unlock(&tree->lock);
    return node;
}

struct node *node_get_child(struct node_tree *tree, struct node *parent, const char *name)
{
    pthread_rwlock_rdlock(&tree->lock);
    struct node *node = node_find_child(tree, parent, name, strlen(name));
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
static uint64_t enter_known(struct node *node, const struct identity *identity, int64_t told_ns)
{
    if (!node || !same_identity(&node->identity, identity))
        return 0;
    atomic_store(&node->told_ns, told_ns);
    atomic_fetch_add(&node->holds, 1);
    atomic_fetch_add(&node->lookups, 1);
    return node->id;
}

/* The write lock is held. */
static uint64_t add_node(struct node_tree *tree, struct node *made, int64_t told_ns)
{
    node_table_grow(tree);
    made->id = ++tree->last_id;
    atomic_store(&made->told_ns, told_ns);
    atomic_store(&made->holds, 1);
    atomic_store(&made->lookups, 1);
    node_link_id(tree, made);
    tree->count++;
    if (tree->count > tree->peak)
        tree->peak = tree->count;
    return made->id;
}

uint64_t node_enter_nameless(struct node_tree *tree, struct node *directory,
                             const struct identity *identity, int *kept_fd)
{
    struct node *made = make_node(atomic_load(&directory->state), identity);
    if (!made)
        return 0;
    uint64_t id = 0;
    pthread_rwlock_wrlock(&tree->lock);
    made->last_path = node_full_path(directory);
    if (made->last_path) {
        made->detached = true;
        id = add_node(tree, made, 0);
        node_keep(tree, made, kept_fd);
    }
    pthread_rwlock_unlock(&tree->lock);
    if (!id)
        free(made);
    return id;
}

uint64_t node_enter(struct node_tree *tree, struct node *parent, const char *name,
                    const struct state *state, const struct identity *identity, int64_t told_ns)
{
    size_t length = strlen(name);
    pthread_rwlock_rdlock(&tree->lock);
    uint64_t id = enter_known(node_find_child(tree, parent, name, length), identity, told_ns);
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
    struct node *known = node_find_child(tree, parent, name, length);
    id = enter_known(known, identity, told_ns);
    if (!id) {
        if (known)
            node_detach(tree, known, NULL);
        id = add_node(tree, made, told_ns);
        node_attach(tree, made, parent, own_name, length);
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

/* Worth the work only when there was much of it. */
enum { NODES_WORTH_GIVING_BACK = 1024 };

void node_tree_give_back(struct node_tree *tree)
{
    pthread_rwlock_wrlock(&tree->lock);
    bool much = tree->peak >= NODES_WORTH_GIVING_BACK && tree->count < tree->peak / 2;
    if (much) {
        tree->peak = tree->count;
        node_table_shrink(tree);
    }
    pthread_rwlock_unlock(&tree->lock);
    if (much)
        malloc_trim(0);
}

bool node_known(struct node_tree *tree, struct node *parent, const char *name)
{
    pthread_rwlock_rdlock(&tree->lock);
    bool known = node_find_child(tree, parent, name, strlen(name)) != NULL;
    pthread_rwlock_unlock(&tree->lock);
    return known;
}

bool node_stands_for(struct node_tree *tree, struct node *parent, const char *name,
                     const struct identity *identity)
{
    pthread_rwlock_rdlock(&tree->lock);
    const struct node *node = node_find_child(tree, parent, name, strlen(name));
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

int64_t node_birth(struct node_tree *tree, uint64_t id)
{
    pthread_rwlock_rdlock(&tree->lock);
    const struct node *node = node_find_id(tree, id);
    int64_t birth_ns = node ? node->identity.birth_ns : 0;
    pthread_rwlock_unlock(&tree->lock);
    return birth_ns;
}

bool node_is_fresh(const struct node *node)
{
    return S_ISREG(node->identity.type) && node_now() - node->made_ns < 1000000000;
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
