#include "node_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void node_detach(struct node_tree *tree, struct node *node, int *kept_fd)
{
    struct node *parent = node->parent;
    node->last_path = node_full_path(node);
    node_unlink_name(tree, node);
    node->parent = NULL;
    node->detached = true;
    node_keep(tree, node, kept_fd);
    atomic_fetch_sub(&parent->holds, 1);
    node_reap(tree, parent);
}

/* Without memory it stays nameless, and the name gets another node. */
void node_give_name(struct node_tree *tree, struct node *node, struct node *parent,
                    const char *name, const struct state *state)
{
    size_t length = strlen(name);
    char *own_name = strdup(name);
    pthread_rwlock_wrlock(&tree->lock);
    if (own_name && node->detached && !node_find_child(tree, parent, name, length)) {
        node_end_keeping(tree, node);
        free(node->last_path);
        node->last_path = NULL;
        free(node->name);
        atomic_store(&node->state, state);
        node_attach(tree, node, parent, own_name, length);
        own_name = NULL;
    }
    pthread_rwlock_unlock(&tree->lock);
    free(own_name);
}

bool node_lose_name(struct node_tree *tree, struct node *node)
{
    pthread_rwlock_wrlock(&tree->lock);
    bool had = node->parent;
    if (had)
        node_detach(tree, node, NULL);
    pthread_rwlock_unlock(&tree->lock);
    return had;
}

void node_remove(struct node_tree *tree, struct node *parent, const char *name, int *kept_fd)
{
    pthread_rwlock_wrlock(&tree->lock);
    struct node *node = node_find_child(tree, parent, name, strlen(name));
    if (node)
        node_detach(tree, node, kept_fd);
    pthread_rwlock_unlock(&tree->lock);
}

/* Gives the node another place. The write lock is held. Without memory for the name the node is
 * detached instead: the next lookup makes a new one. */
static void replace(struct node_tree *tree, struct node *node, struct node *parent,
                    const char *name, const struct state *state)
{
    char *own_name = strdup(name);
    if (!own_name) {
        node_detach(tree, node, NULL);
        return;
    }
    struct node *old_parent = node->parent;
    node_unlink_name(tree, node);
    free(node->name);
    atomic_store(&node->state, state);
    node_attach(tree, node, parent, own_name, strlen(own_name));
    atomic_fetch_sub(&old_parent->holds, 1);
    node_reap(tree, old_parent);
}

/* The nodes below a directory keep their states, which are right at the new name only when it has
 * the same rules. Otherwise a file was renamed, and what the kernel takes for a directory there is
 * one that was in its place before. */
static bool may_move(const struct node *node, const struct state *new_state)
{
    return !S_ISDIR(node->identity.type) || state_equivalent(atomic_load(&node->state), new_state);
}

void node_move(struct node_tree *tree, struct node *old_parent, const char *old_name,
               struct node *new_parent, const char *new_name, const struct state *new_state,
               int *kept_fd)
{
    pthread_rwlock_wrlock(&tree->lock);
    struct node *moved = node_find_child(tree, old_parent, old_name, strlen(old_name));
    struct node *target = node_find_child(tree, new_parent, new_name, strlen(new_name));
    if (target && target != moved)
        node_detach(tree, target, kept_fd);
    if (moved && target != moved && may_move(moved, new_state))
        replace(tree, moved, new_parent, new_name, new_state);
    else if (moved && target != moved)
        node_detach(tree, moved, NULL);
    pthread_rwlock_unlock(&tree->lock);
}

void node_exchange(struct node_tree *tree, struct node *one_parent, const char *one_name,
                   const struct state *one_state, struct node *other_parent, const char *other_name,
                   const struct state *other_state)
{
    pthread_rwlock_wrlock(&tree->lock);
    struct node *one = node_find_child(tree, one_parent, one_name, strlen(one_name));
    struct node *other = node_find_child(tree, other_parent, other_name, strlen(other_name));
    if (one && one != other)
        replace(tree, one, other_parent, other_name, other_state);
    if (other && one != other)
        replace(tree, other, one_parent, one_name, one_state);
    pthread_rwlock_unlock(&tree->lock);
}
