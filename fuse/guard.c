#include "guard.h"

#include "audit.h"
#include "folding.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

int guard_check(const struct state *state, bool is_directory, enum want want)
{
    static const int answers[][5] = {
        /*                see     read    change  mode    create */
        [LEVEL_NONE] = {ENOENT, ENOENT, ENOENT, ENOENT, EACCES},
        [LEVEL_VIEW] = {0, EACCES, EACCES, EACCES, EACCES},
        [LEVEL_READ] = {0, 0, EACCES, EPERM, EACCES},
        [LEVEL_WRITE] = {0, 0, 0, 0, 0},
    };
    enum level level = state_level(state);
    if (level == LEVEL_NONE && is_directory && state_is_way_through(state))
        level = LEVEL_VIEW;
    return answers[level][want];
}

static int check_node(const struct node *node, const struct state *state, enum want want)
{
    /* The root of a view is always there to be listed, though nothing may be in it. */
    if (want == WANT_SEE && node->id == NODE_ROOT_ID)
        return 0;
    return guard_check(state, S_ISDIR(node->identity.type), want);
}

int guard_node(struct view *view, struct node *node, enum want want, const char *operation)
{
    const struct state *state = atomic_load(&node->state);
    int refused = check_node(node, state, want);
    audit_note(view, node, NULL, state, want, operation, refused);
    return refused;
}

/* Names that a kernel never sends, and those that no file system here can hold: the answer must not
 * depend on the level, as it does not depend on the source. */
static int check_name(const char *name)
{
    size_t length = strlen(name);
    if (length > NAME_MAX)
        return ENAMETOOLONG;
    if (length == 0 || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return EINVAL;
    return 0;
}

int guard_name(struct view *view, struct node *parent, const char *name, enum want want,
               const char *operation, const struct state **state)
{
    int refused = check_name(name);
    if (refused)
        return refused;
    const struct state *above = atomic_load(&parent->state);
    refused = check_node(parent, above, WANT_SEE);
    if (refused) {
        audit_note(view, parent, NULL, above, WANT_SEE, operation, refused);
        return refused;
    }
    *state = state_step(above, name, strlen(name));
    /* Whether it is a directory is not known yet: a way through is not refused here when the
     * operation only looks, and the caller checks again with what it found. A node that the kernel
     * has of a way through is always a directory. */
    bool is_directory =
        want == WANT_SEE || (state_is_way_through(*state) && node_known(view->nodes, parent, name));
    refused = guard_check(*state, is_directory, want);
    if (!refused && folding_directory(view, parent)) {
        *state = policy_hidden(view->policy);
        refused = guard_check(*state, false, want);
    }
    audit_note(view, parent, name, *state, want, operation, refused);
    return refused;
}
