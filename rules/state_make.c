#include "memo.h"
#include "policy_internal.h"

#include "scopefs/log.h"
#include "scopefs/mem.h"

/* Only somebody who makes directories with names chosen to match ever new sets of rules gets there;
 * what they make then is hidden. */
#define MAX_STATES 100000

struct state_key {
    const struct state *parent;
    uint32_t rule, ceiling;
    const uint32_t *waiting;
    size_t waiting_count;
};

static bool state_equals(const void *item, const void *wanted)
{
    const struct state *state = item;
    const struct state_key *key = wanted;
    return state->parent == key->parent && state->rule == key->rule &&
           state->ceiling == key->ceiling && state->waiting_count == key->waiting_count &&
           same_numbers(state->waiting, key->waiting, key->waiting_count);
}

static uint64_t hash_state(const struct state_key *key)
{
    uint64_t hash = hash_word(HASH_START, (uintptr_t)key->parent);
    hash = hash_word(hash, (uint64_t)key->rule << 32 | key->ceiling);
    for (size_t i = 0; i < key->waiting_count; i++)
        hash = hash_word(hash, key->waiting[i]);
    return hash;
}

static enum level highest(unsigned levels, enum level at_least)
{
    for (enum level level = LEVEL_WRITE; level > at_least; level--)
        if (levels & level_bit(level))
            return level;
    return at_least;
}

/* The first of the floating positions whose rule comes behind number `rule` - 1. */
static size_t first_floating(const struct policy *policy, uint32_t rule)
{
    size_t low = 0, high = policy->floating_rule_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (policy->positions[policy->floating_rules[middle]].owner + 1 > rule)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static enum level lower(enum level one, enum level other)
{
    return one < other ? one : other;
}

/* What the path itself has, and what something below it could have. */
static void work_out_levels(struct state *state)
{
    const struct policy *policy = state->policy;
    state->wanted = state->rule ? policy->rules[state->rule - 1].level : policy->default_level;
    state->limit = state->ceiling ? policy->ceilings[state->ceiling - 1].level : LEVEL_WRITE;
    unsigned rules = policy->levels_from[first_floating(policy, state->rule)];
    unsigned ceilings = state->limit > LEVEL_NONE ? policy->ceiling_levels : 0;
    for (size_t i = 0; i < state->waiting_count; i++) {
        const struct position *position = &policy->positions[state->waiting[i]];
        *(position->is_ceiling ? &ceilings : &rules) |= level_bit(position->level);
    }
    state->level = lower(state->wanted, state->limit);
    state->reach = lower(highest(rules, state->wanted), state->limit);
    if (state->parent) {
        state->level = lower(state->level, state->parent->level);
        state->reach = lower(state->reach, state->parent->reach);
    }
    state->may_hide = state->level == LEVEL_NONE || ((rules | ceilings) & level_bit(LEVEL_NONE)) ||
                      (state->parent && state->parent->may_hide);
}

static bool index_waiting(struct policy *policy, struct state *state, const uint32_t *waiting)
{
    size_t count = state->waiting_count;
    if (count == 0)
        return true;
    uint32_t *copy = policy_allocate(policy, count * sizeof(*copy));
    struct position_index *index = policy_allocate(policy, sizeof(*index));
    void *memory = policy_allocate(policy, position_index_size(count));
    if (!copy || !index || !memory)
        return false;
    memcpy(copy, waiting, count * sizeof(*copy));
    position_index_build(index, memory, policy->positions, copy, count);
    state->waiting = copy;
    state->index = index;
    return true;
}

static struct state *make_state(struct policy *policy, const struct state_key *key)
{
    struct state *state = policy_allocate(policy, sizeof(*state));
    if (!state)
        return NULL;
    memset(state, 0, sizeof(*state));
    state->policy = policy;
    state->parent = key->parent;
    state->rule = key->rule;
    state->ceiling = key->ceiling;
    state->waiting_count = key->waiting_count;
    if (!index_waiting(policy, state, key->waiting))
        return NULL;
    work_out_levels(state);
    state->behaviour = behaviour_intern(policy, state);
    return state->behaviour ? state : NULL;
}

static void log_limit_once(struct policy *policy)
{
    if (policy->limit_logged)
        return;
    policy->limit_logged = true;
    log_error("the rules tell apart too many kinds of directories (or memory ran out); names that "
              "would make one more are hidden from now on");
}

const struct state *state_intern(struct policy *policy, const struct state *parent, uint32_t rule,
                                 uint32_t ceiling, const uint32_t *waiting, size_t waiting_count)
{
    struct state_key key = {parent, rule, ceiling, waiting, waiting_count};
    uint64_t hash = hash_state(&key);
    struct state *state = intern_find(&policy->states, hash, &key, state_equals);
    if (state)
        return state;
    if (policy->states.count < MAX_STATES)
        state = make_state(policy, &key);
    if (state && intern_add(&policy->states, hash, state))
        return state;
    log_limit_once(policy);
    return NULL;
}

static void apply_matches(const struct policy *policy, const uint32_t *matched, size_t count,
                          uint32_t *rule, uint32_t *ceiling, enum level *limit)
{
    for (size_t i = 0; i < count; i++) {
        const struct position *position = &policy->positions[matched[i]];
        if (!position->last)
            continue;
        if (!position->is_ceiling) {
            *rule = position->owner + 1 > *rule ? position->owner + 1 : *rule;
        } else if (position->level < *limit) {
            *limit = position->level;
            *ceiling = position->owner + 1;
        }
    }
}

/* What waits behind the step: what was waiting at any depth, and the next component of what
 * matched. Both lists are ascending, and so is the result. */
static size_t merge_waiting(const struct state *state, const uint32_t *matched, size_t count,
                            uint32_t rule, enum level limit, uint32_t *waiting)
{
    const struct position *positions = state->policy->positions;
    size_t used = 0, at = 0, next = 0;
    while (at < state->waiting_count || next < count) {
        bool from_state =
            next == count || (at < state->waiting_count && state->waiting[at] <= matched[next] + 1);
        uint32_t number = from_state ? state->waiting[at++] : matched[next++] + 1;
        if (from_state ? !positions[number].floating : positions[number - 1].last)
            continue;
        if (used > 0 && waiting[used - 1] == number)
            continue;
        if (position_counts(&positions[number], rule, limit))
            waiting[used++] = number;
    }
    return used;
}

const struct state *state_follow(const struct state *state, const struct state *parent,
                                 const uint32_t *matched, size_t matched_count)
{
    /* States belong to their policy, whose interned part may change under its mutex. */
    struct policy *policy = (struct policy *)(uintptr_t)state->policy;
    uint32_t rule = state->rule, ceiling = state->ceiling;
    enum level limit = state->limit;
    apply_matches(policy, matched, matched_count, &rule, &ceiling, &limit);
    cleanup_free uint32_t *waiting =
        malloc((state->waiting_count + matched_count + 1) * sizeof(*waiting));
    if (!waiting)
        return &policy->dead;
    size_t count = merge_waiting(state, matched, matched_count, rule, limit, waiting);

    pthread_mutex_lock(&policy->mutex);
    const struct state *target = memo_find(state, parent, matched, matched_count);
    if (!target) {
        target = state_intern(policy, parent, rule, ceiling, waiting, count);
        if (target)
            memo_add(policy, (struct state *)(uintptr_t)state, parent, matched, matched_count,
                     target);
    }
    pthread_mutex_unlock(&policy->mutex);
    return target ? target : &policy->dead;
}
