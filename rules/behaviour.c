#include "policy_internal.h"

#include "scopefs/mem.h"

/*
 * All that decides which levels the paths below a directory have, in a normal form: whatever cannot
 * change a level any more is left out. Two states with the same behaviour give every descendant the
 * same level. The reverse does not hold for all rules; then a rename is refused that could be
 * allowed.
 */
struct behaviour {
    const struct behaviour *parent;
    bool has_parent;
    enum level wanted, limit;
    size_t floating; /* the first of the policy's floating rules that still matters */
    size_t waiting_count;
    const uint32_t *waiting;
};

/* All paths below are hidden, whatever else the state says. */
static const struct behaviour hides_everything;

static enum level lower(enum level one, enum level other)
{
    return one < other ? one : other;
}

/* Whether this position is a rule that could still give something another level than it has now. */
static bool differs(const struct state *state, const struct position *position, enum level limit)
{
    return !position->is_ceiling && position->owner + 1 > state->rule &&
           lower(position->level, limit) != lower(state->wanted, limit);
}

/* The first rule, by number, with which a path below gets another level than the directory has.
 * Rules before it say the same as what is in force, so they do not matter. */
static uint32_t first_differing_rule(const struct state *state, enum level limit)
{
    const struct policy *policy = state->policy;
    uint32_t first = UINT32_MAX;
    for (size_t i = 0; i < state->waiting_count; i++) {
        const struct position *position = &policy->positions[state->waiting[i]];
        if (position->owner < first && differs(state, position, limit))
            first = position->owner;
    }
    for (size_t i = 0; i < policy->floating_rule_count; i++) {
        const struct position *position = &policy->positions[policy->floating_rules[i]];
        if (position->owner >= first)
            break;
        if (differs(state, position, limit))
            first = position->owner;
    }
    return first;
}

static size_t count_floating_before(const struct policy *policy, uint32_t rule)
{
    size_t count = 0;
    while (count < policy->floating_rule_count &&
           policy->positions[policy->floating_rules[count]].owner < rule)
        count++;
    return count;
}

static bool behaviour_equals(const void *item, const void *wanted)
{
    const struct behaviour *one = item, *other = wanted;
    return one->parent == other->parent && one->has_parent == other->has_parent &&
           one->wanted == other->wanted && one->limit == other->limit &&
           one->floating == other->floating && one->waiting_count == other->waiting_count &&
           same_numbers(one->waiting, other->waiting, one->waiting_count);
}

static uint64_t hash_behaviour(const struct behaviour *behaviour)
{
    uint64_t hash = hash_word(HASH_START, (uintptr_t)behaviour->parent);
    hash = hash_word(hash, behaviour->wanted * 16u + behaviour->limit * 2u + behaviour->has_parent);
    hash = hash_word(hash, behaviour->floating);
    for (size_t i = 0; i < behaviour->waiting_count; i++)
        hash = hash_word(hash, behaviour->waiting[i]);
    return hash;
}

static size_t copy_what_matters(const struct state *state, enum level limit, uint32_t first_rule,
                                uint32_t *waiting)
{
    size_t count = 0;
    for (size_t i = 0; i < state->waiting_count; i++) {
        const struct position *position = &state->policy->positions[state->waiting[i]];
        if (position->is_ceiling ? position->level < limit : position->owner >= first_rule)
            waiting[count++] = state->waiting[i];
    }
    return count;
}

static const struct behaviour *keep_behaviour(struct policy *policy, const struct behaviour *key,
                                              uint64_t hash)
{
    size_t size = key->waiting_count * sizeof(*key->waiting);
    uint32_t *waiting = policy_allocate(policy, size);
    struct behaviour *kept = policy_allocate(policy, sizeof(*kept));
    if (!waiting || !kept)
        return NULL;
    memcpy(waiting, key->waiting, size);
    *kept = *key;
    kept->waiting = waiting;
    return intern_add(&policy->behaviours, hash, kept) ? kept : NULL;
}

const struct behaviour *behaviour_intern(struct policy *policy, const struct state *state)
{
    if (state->reach == LEVEL_NONE)
        return &hides_everything;
    /* Nothing below gets more than the reach, so levels above it are one. */
    enum level limit = state->reach;
    uint32_t first_rule = first_differing_rule(state, limit);
    cleanup_free uint32_t *waiting = malloc((state->waiting_count + 1) * sizeof(*waiting));
    if (!waiting)
        return NULL;
    struct behaviour key = {
        .parent = state->parent ? state->parent->behaviour : NULL,
        .has_parent = state->parent != NULL,
        .wanted = lower(state->wanted, limit),
        .limit = limit,
        .floating = count_floating_before(policy, first_rule),
        .waiting_count = copy_what_matters(state, limit, first_rule, waiting),
        .waiting = waiting,
    };
    uint64_t hash = hash_behaviour(&key);
    const struct behaviour *known = intern_find(&policy->behaviours, hash, &key, behaviour_equals);
    return known ? known : keep_behaviour(policy, &key, hash);
}

const struct behaviour *behaviour_of_dead(void)
{
    return &hides_everything;
}
