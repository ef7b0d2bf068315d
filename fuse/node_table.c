#include "node_internal.h"

#include "scopefs/hash.h"

#include <stdlib.h>
#include <string.h>

/* Keyed by the parent's id, so that one name in many directories spreads. */
static uint32_t hash_name(uint64_t parent_id, const char *name, size_t length)
{
    uint64_t hash = hash_bytes(HASH_START ^ (parent_id * 0x9e3779b97f4a7c15u), name, length);
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

struct node *node_find_id(struct node_tree *tree, uint64_t id)
{
    struct node *node = tree->by_id[id_slot(tree, id)];
    while (node && node->id != id)
        node = node->next_by_id;
    return node;
}

struct node *node_find_child(struct node_tree *tree, const struct node *parent, const char *name,
                             size_t length)
{
    uint32_t hash = hash_name(parent->id, name, length);
    struct node *node = tree->by_name[name_slot(tree, hash)];
    while (node && !(node->name_hash == hash && node->parent == parent &&
                     node->name_length == length && memcmp(node->name, name, length) == 0))
        node = node->next_by_name;
    return node;
}

void node_link_id(struct node_tree *tree, struct node *node)
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

void node_unlink_id(struct node_tree *tree, struct node *node)
{
    struct node **at = &tree->by_id[id_slot(tree, node->id)];
    while (*at != node)
        at = &(*at)->next_by_id;
    *at = node->next_by_id;
}

void node_unlink_name(struct node_tree *tree, struct node *node)
{
    struct node **at = &tree->by_name[name_slot(tree, node->name_hash)];
    while (*at != node)
        at = &(*at)->next_by_name;
    *at = node->next_by_name;
}

/* Another size is an optimisation: without memory the chains only are not as short. */
static void resize(struct node_tree *tree, size_t slots)
{
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
            node_link_id(tree, node);
            if (node->parent)
                link_name(tree, node);
        }
    }
    free(old_by_id);
}

void node_table_grow(struct node_tree *tree)
{
    if (tree->count >= tree->slots)
        resize(tree, tree->slots * 2);
}

void node_table_shrink(struct node_tree *tree)
{
    size_t slots = tree->slots;
    while (slots > SLOTS_AT_START && slots > tree->count * 4)
        slots /= 2;
    if (slots < tree->slots)
        resize(tree, slots);
}

void node_attach(struct node_tree *tree, struct node *node, struct node *parent, char *name,
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
