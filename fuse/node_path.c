#include "node_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t node_path_length(const struct node *node, const struct node **base)
{
    size_t length = 0;
    for (; node->parent; node = node->parent)
        length += node->name_length + 1u;
    *base = node;
    return length;
}

void node_write_names(const struct node *node, char *end)
{
    for (; node->parent; node = node->parent) {
        end -= node->name_length;
        memcpy(end, node->name, node->name_length);
        *--end = '/';
    }
}

char *node_full_path(const struct node *node)
{
    const struct node *base;
    size_t length = node_path_length(node, &base);
    const char *before = base->last_path ? base->last_path : "";
    size_t before_length = strlen(before);
    char *path = malloc(before_length + length + 1);
    if (!path || (base->detached && !base->last_path)) {
        free(path);
        return NULL;
    }
    memcpy(path, before, before_length);
    node_write_names(node, path + before_length + length);
    path[before_length + length] = '\0';
    return path;
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
    size_t length = node_path_length(node, &base);
    path->base_fd = base->detached ? atomic_load(&base->kept_fd) : -1;
    if (base->detached && path->base_fd < 0)
        result = ESTALE;
    else if (length + extra + 1 > sizeof(path->small) &&
             !(path->bytes = malloc(length + extra + 1)))
        result = ENOMEM;
    if (result == 0) {
        node_write_names(node, path->bytes + length);
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
