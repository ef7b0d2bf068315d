#include "node_internal.h"

#include "scopefs/fd.h"

void node_keep(struct node_tree *tree, struct node *node, int *kept_fd)
{
    if (!kept_fd || *kept_fd < 0)
        return;
    atomic_store(&node->kept_fd, fd_steal(kept_fd));
    node->next_kept = tree->kept;
    tree->kept = node;
}

static bool is_kept(const struct node_tree *tree, const struct identity *object)
{
    const struct node *node = tree->kept;
    while (node &&
           (node->identity.device != object->device || node->identity.inode != object->inode))
        node = node->next_kept;
    return node;
}

void node_end_keeping(struct node_tree *tree, struct node *node)
{
    int kept = atomic_exchange(&node->kept_fd, -1);
    if (kept < 0)
        return;
    struct node **at = &tree->kept;
    while (*at != node)
        at = &(*at)->next_kept;
    *at = node->next_kept;
    if (tree->on_close && !is_kept(tree, &node->identity))
        tree->on_close(tree->on_close_data, kept);
    fd_close(&kept);
}
