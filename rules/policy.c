#include "scopefs/policy.h"

#include "memo.h"
#include "policy_internal.h"
#include "scopefs/mem.h"

#include <limits.h>

/* Most names match fewer positions than this, and need no memory from the heap. */
#define ROOM_ON_STACK 32

struct matcher {
    const struct state *state;
    const struct policy *policy;
    const char *name; /* folded, if case is ignored */
    size_t length;
    uint64_t present;
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
    const struct position *position = &matcher->policy->positions[number];
    if (!position_counts(position, matcher->state->rule, matcher->state->limit))
        return true;
    enum match_result result =
        component_match(&position->component, matcher->name, matcher->length, matcher->present);
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
        if (indexes[i] && !position_index_search(indexes[i], matcher->name, matcher->length,
                                                 try_position, matcher))
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

static const struct state *step(const struct state *state, const struct state *parent,
                                const char *name, size_t length)
{
    /* Without an initializer, which would clear `on_stack` each time. */
    struct matcher matcher;
    matcher.state = state;
    matcher.policy = state->policy;
    matcher.name = name;
    matcher.length = length;
    matcher.present = bytes_present(name, length);
    matcher.matched = matcher.on_stack;
    matcher.count = 0;
    matcher.room = ROOM_ON_STACK;
    const struct state *next = &state->policy->dead;
    if (find_matches(&matcher))
        next = follow(&matcher, parent);
    if (matcher.matched != matcher.on_stack)
        free(matcher.matched);
    return next;
}

static const struct state *step_folded(const struct state *state, const struct state *parent,
                                       const char *name, size_t length)
{
    char folded[NAME_MAX];
    if (!name_fold(name, length, folded))
        return &state->policy->dead;
    return step(state, parent, folded, length);
}

const struct state *state_step(const struct state *state, const char *name, size_t length)
{
    if (state->dead)
        return state;
    const struct state *parent = state->parent ? state_step(state->parent, name, length) : NULL;
    if (state->policy->ignore_case)
        return step_folded(state, parent, name, length);
    return step(state, parent, name, length);
}

const struct state *policy_hidden(const struct policy *policy)
{
    return &policy->dead;
}

const struct rule *policy_rule(const struct policy *policy, size_t number)
{
    if (number < policy->rule_count)
        return &policy->rules[number];
    number -= policy->rule_count;
    return number < policy->ceiling_count ? &policy->ceilings[number] : NULL;
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
