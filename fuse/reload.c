#include "reload.h"

#include "cache.h"
#include "node.h"

#include "scopefs/mem.h"

#include <sys/stat.h>

/* What the kernel has to drop of one node. */
struct stale_node {
    uint64_t id, parent_id; /* parent_id is 0 for the root and a detached node */
    char *name;
};

/* One pass over the tree. Memory exhaustion ends the process: half the tree under old rules would
 * be worse. */
struct rebase {
    const struct policy *policy;
    uint32_t generation;
    struct stale_node *stale;
    size_t count, room;
};

static void note_stale(struct rebase *rebase, const struct node *node)
{
    if (rebase->count == rebase->room) {
        rebase->room = rebase->room ? rebase->room * 2 : 64;
        rebase->stale = xreallocarray(rebase->stale, rebase->room, sizeof(*rebase->stale));
    }
    rebase->stale[rebase->count++] = (struct stale_node){
        .id = node->id,
        .parent_id = node->parent ? node->parent->id : 0,
        .name = node->parent ? xstrdup(node->name) : NULL,
    };
}

static bool looks_same(const struct state *one, const struct state *other)
{
    return state_level(one) == state_level(other) && state_reach(one) == state_reach(other) &&
           state_may_hide(one) == state_may_hide(other);
}

static const struct state *new_state(const struct rebase *rebase, const struct node *node)
{
    if (node->parent)
        return state_step(atomic_load(&node->parent->state), node->name, node->name_length);
    if (!node->detached)
        return policy_root(rebase->policy);
    const char *path = node->last_path;
    const struct state *state = path ? policy_find(rebase->policy, path, strlen(path)) : NULL;
    return state ? state : policy_hidden(rebase->policy);
}

static void update_one(struct rebase *rebase, struct node *node)
{
    const struct state *old = atomic_load(&node->state), *now = new_state(rebase, node);
    if (S_ISDIR(node->identity.type) || !looks_same(old, now)) /* its listing is cached, too */
        note_stale(rebase, node);
    atomic_store(&node->state, now);
    node->generation = rebase->generation;
}

/* A state comes from the parent's, so the topmost old node above goes first. */
static void update_node(void *data, struct node *node)
{
    struct rebase *rebase = data;
    while (node->generation != rebase->generation) {
        struct node *top = node;
        while (top->parent && top->parent->generation != rebase->generation)
            top = top->parent;
        update_one(rebase, top);
    }
}

/* Without any lock of ours: the kernel may first write back dirty pages, which are requests. */
static void forget_stale(struct view *view, struct rebase *rebase)
{
    for (size_t i = 0; i < rebase->count; i++) {
        struct stale_node *node = &rebase->stale[i];
        fuse_lowlevel_notify_inval_inode(view->session, node->id, 0, 0);
        if (node->parent_id)
            fuse_lowlevel_notify_inval_entry(view->session, node->parent_id, node->name,
                                             strlen(node->name));
        free(node->name);
    }
    free(rebase->stale);
}

void reload_policy(struct view *view, struct policy_copy *copy)
{
    struct policy_copy *old = view->reloaded;
    struct rebase rebase = {
        .policy = policy_copy_policy(copy),
        .generation = ++view->generation,
    };

    pthread_rwlock_wrlock(&view->move_lock);
    pthread_rwlock_wrlock(&view->rules_lock);
    view->reloaded = copy;
    view->policy = rebase.policy;
    node_tree_each(view->nodes, update_node, &rebase);
    pthread_rwlock_unlock(&view->rules_lock);
    pthread_rwlock_unlock(&view->move_lock);

    policy_copy_free(old);
    cache_forget_names(view);
    forget_stale(view, &rebase);
}
