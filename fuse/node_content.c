#include "node_internal.h"

#include <string.h>

bool node_is_agreed(const struct node *directory)
{
    return atomic_load(&directory->has_locked) && !atomic_load(&directory->watched);
}

bool node_is_in_agreed(struct node_tree *tree, struct node *node)
{
    pthread_rwlock_rdlock(&tree->lock);
    bool is = node->parent && node_is_agreed(node->parent);
    pthread_rwlock_unlock(&tree->lock);
    return is;
}

struct noticed node_noticed(struct node_tree *tree, struct node *node)
{
    struct noticed noticed = {.inside = atomic_load(&node->watched),
                              .changes = atomic_load(&node->changes)};
    pthread_rwlock_rdlock(&tree->lock);
    if (node->parent) {
        noticed.name = atomic_load(&node->parent->watched);
        noticed.changes += atomic_load(&node->parent->changes);
    }
    pthread_rwlock_unlock(&tree->lock);
    return noticed;
}

struct noticed node_noticed_child(struct node_tree *tree, struct node *directory, const char *name)
{
    struct noticed noticed = {.name = atomic_load(&directory->watched),
                              .changes = atomic_load(&directory->changes)};
    if (!name || !noticed.name)
        return noticed;
    pthread_rwlock_rdlock(&tree->lock);
    struct node *child = node_find_child(tree, directory, name, strlen(name));
    if (child) {
        noticed.inside = atomic_load(&child->watched);
        noticed.changes += atomic_load(&child->changes);
    }
    pthread_rwlock_unlock(&tree->lock);
    return noticed;
}

struct noticed noticed_since(struct noticed before, struct noticed now)
{
    return before.changes == now.changes ? before : (struct noticed){0};
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
                     const struct content_version *version, bool *is_first)
{
    *is_first = false;
    if (!atomic_exchange(&node->has_locked, true)) {
        pthread_rwlock_rdlock(&tree->lock);
        *is_first = node->parent && !atomic_exchange(&node->parent->has_locked, true) &&
                    !atomic_load(&node->parent->watched);
        pthread_rwlock_unlock(&tree->lock);
    }
    return replace_version(tree, &node->locked, version);
}
