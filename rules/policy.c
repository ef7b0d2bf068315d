#include "scopefs/policy.h"

#include "memo.h"
#include "policy_internal.h"
#include "scopefs/mem.h"

/* Most names match fewer positions than this, and need no memory from the heap. */
#define ROOM_ON_STACK 32

struct matcher {
    const struct state *state;
    const struct policy *policy;
    const char *name;
    size_t length;
    uint32_t *matched;
    size_t count, room;
    uint32_t on_stack[ROOM_ON_STACK];
};

static bool grow(struct matcher *matcher)
{
    uint32_t *larger = malloc(2 * matcher->room * sizeof(*larger));
    if (!larger)
        return false;
    memcpy(larger, matcher->matched, matcher->count * sizeof(*larger));
    if (matcher->matched != matcher->on_stack)
        free(matcher->matched);
    matcher->matched = larger;
    matcher->room *= 2;
    return true;
}

static bool try_position(void *context, uint32_t number)
{
    struct matcher *matcher = context;
    const struct policy *policy = matcher->policy;
    const struct position *position = &policy->positions[number];
    if (!position_counts(position, matcher->state->rule, matcher->state->limit))
        return true;
    enum match_result result =
        component_match(&position->component, matcher->name, matcher->length, policy->ignore_case);
    if (result != MATCH_YES)
        return result == MATCH_NO;
    if (matcher->count == matcher->room && !grow(matcher))
        return false;
    matcher->matched[matcher->count++] = number;
    return true;
}

/* False when something failed and the name must be hidden. */
static bool find_matches(struct matcher *matcher)
{
    const struct position_index *indexes[] = {matcher->policy->floating_index,
                                              matcher->state->index};
    for (size_t i = 0; i < 2; i++)
        if (indexes[i] &&
            !position_index_search(indexes[i], matcher->name, matcher->length,
                                   matcher->policy->ignore_case, try_position, matcher))
            return false;
    return true;
}

static int compare_numbers(const void *left, const void *right)
{
    uint32_t one = *(const uint32_t *)left, other = *(const uint32_t *)right;
    return (one > other) - (one < other);
}

/* Leaves only what makes a difference: of the patterns that are now complete, the last rule and the
 * first of the lowest ceilings; of the others, those that these leave a chance. */
static void keep_what_counts(struct matcher *matcher)
{
    const struct position *positions = matcher->policy->positions;
    uint32_t rule = matcher->state->rule;
    enum level limit = matcher->state->limit;
    for (size_t i = 0; i < matcher->count; i++) {
        const struct position *position = &positions[matcher->matched[i]];
        if (!position->last)
            continue;
        if (position->is_ceiling)
            limit = position->level < limit ? position->level : limit;
        else
            rule = position->owner + 1 > rule ? position->owner + 1 : rule;
    }
    size_t kept = 0;
    bool have_rule = false, have_ceiling = false;
    for (size_t i = 0; i < matcher->count; i++) {
        const struct position *position = &positions[matcher->matched[i]];
        bool keep = position_counts(position, rule, limit);
        if (position->last && position->is_ceiling && position->level == limit) {
            keep = !have_ceiling;
            have_ceiling = true;
        } else if (position->last && !position->is_ceiling && position->owner + 1 == rule) {
            keep = !have_rule;
            have_rule = true;
        }
        if (keep)
            matcher->matched[kept++] = matcher->matched[i];
    }
    matcher->count = kept;
}

static const struct state *follow(struct matcher *matcher, const struct state *parent)
{
    const struct state *state = matcher->state;
    if (matcher->count > 1) {
        qsort(matcher->matched, matcher->count, sizeof(*matcher->matched), compare_numbers);
        keep_what_counts(matcher);
    }
    const struct state *known = memo_find(state, parent, matcher->matched, matcher->count);
    return known ? known : state_follow(state, parent, matcher->matched, matcher->count);
}

static bool is_ascii(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] >= 0x80)
            return false;
    return true;
}

const struct state *state_step(const struct state *state, const char *name, size_t length)
{
    const struct policy *policy = state->policy;
    if (state->dead)
        return state;
    /* A file system that folds case may fold such a name to one that a rule hides. */
    if (policy->ignore_case && !is_ascii(name, length))
        return &policy->dead;

    struct matcher matcher = {
        .state = state, .policy = policy, .name = name, .length = length, .room = ROOM_ON_STACK};
    matcher.matched = matcher.on_stack;
    const struct state *next = &policy->dead;
    if (find_matches(&matcher)) {
        const struct state *parent = state->parent ? state_step(state->parent, name, length) : NULL;
        next = follow(&matcher, parent);
    }
    if (matcher.matched != matcher.on_stack)
        free(matcher.matched);
    return next;
}

const struct state *policy_hidden(const struct policy *policy)
{
    return &policy->dead;
}

const struct state *policy_root(const struct policy *policy)
{
    return policy->root;
}

const struct state *policy_find(const struct policy *policy, const char *path, size_t length)
{
    const struct state *state = policy->root;
    for (size_t at = 0; at < length;) {
        const char *slash = memchr(path + at, '/', length - at);
        size_t end = slash ? (size_t)(slash - path) : length;
        size_t size = end - at;
        if (size == 2 && path[at] == '.' && path[at + 1] == '.')
            return NULL;
        if (size > 0 && !(size == 1 && path[at] == '.'))
            state = state_step(state, path + at, size);
        at = end + 1;
    }
    return state;
}

enum level state_level(const struct state *state)
{
    return state->level;
}

enum level state_reach(const struct state *state)
{
    return state->reach;
}

bool state_may_hide(const struct state *state)
{
    return state->may_hide;
}

bool state_is_way_through(const struct state *state)
{
    return state->level == LEVEL_NONE && state->reach > LEVEL_NONE;
}

bool state_equivalent(const struct state *one, const struct state *other)
{
    return one->behaviour == other->behaviour;
}

struct verdict state_verdict(const struct state *state)
{
    const struct policy *policy = state->policy;
    struct verdict verdict = {
        .level = state->level,
        .wanted = state->wanted,
        .way_through = state_is_way_through(state),
    };
    if (state->rule)
        verdict.rule = &policy->rules[state->rule - 1];
    if (state->limit < state->wanted)
        verdict.ceiling = &policy->ceilings[state->ceiling - 1];
    enum level own = state->limit < state->wanted ? state->limit : state->wanted;
    if (state->level < own) {
        const char *above = state_verdict(state->parent).parent;
        verdict.parent = above ? above : policy->parent_name;
    }
    return verdict;
}
