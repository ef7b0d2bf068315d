#include "memo.h"

#include <string.h>

/* More are not remembered but worked out anew each time, under the mutex. */
#define MAX_TRANSITIONS 1000000

struct transition {
    uint64_t hash;
    const struct state *parent, *target;
    size_t count;
    uint32_t matched[];
};

struct memo {
    size_t mask, used;
    _Atomic(const struct transition *) slots[]; /* open addressing */
};

static uint64_t hash_key(const struct state *parent, const uint32_t *matched, size_t count)
{
    uint64_t hash = hash_word(HASH_START, (uintptr_t)parent);
    for (size_t i = 0; i < count; i++)
        hash = hash_word(hash, matched[i]);
    return hash;
}

const struct state *memo_find(const struct state *state, const struct state *parent,
                              const uint32_t *matched, size_t count)
{
    if (count == 0 && !parent)
        return atomic_load_explicit(&state->unmatched, memory_order_acquire);
    const struct memo *memo = atomic_load_explicit(&state->memo, memory_order_acquire);
    if (!memo)
        return NULL;
    uint64_t hash = hash_key(parent, matched, count);
    for (size_t at = (size_t)hash & memo->mask;; at = (at + 1) & memo->mask) {
        const struct transition *found =
            atomic_load_explicit(&memo->slots[at], memory_order_acquire);
        if (!found)
            return NULL;
        if (found->hash == hash && found->parent == parent && found->count == count &&
            same_numbers(found->matched, matched, count))
            return found->target;
    }
}

static void place(struct memo *memo, const struct transition *transition)
{
    size_t at = (size_t)transition->hash & memo->mask;
    while (atomic_load_explicit(&memo->slots[at], memory_order_relaxed))
        at = (at + 1) & memo->mask;
    atomic_store_explicit(&memo->slots[at], transition, memory_order_release);
    memo->used++;
}

/* A memo with room for one more, or NULL when memory ran out. */
static struct memo *memo_with_room(struct policy *policy, struct state *state)
{
    struct memo *old = atomic_load_explicit(&state->memo, memory_order_relaxed);
    if (old && old->used < (old->mask + 1) / 2)
        return old;
    size_t room = old ? (old->mask + 1) * 4 : 8;
    struct memo *memo = policy_allocate(policy, sizeof(*memo) + room * sizeof(memo->slots[0]));
    if (!memo)
        return NULL;
    memo->mask = room - 1;
    memo->used = 0;
    for (size_t i = 0; i < room; i++)
        atomic_init(&memo->slots[i], NULL);
    for (size_t i = 0; old && i <= old->mask; i++) {
        const struct transition *kept = atomic_load_explicit(&old->slots[i], memory_order_relaxed);
        if (kept)
            place(memo, kept);
    }
    atomic_store_explicit(&state->memo, memo, memory_order_release);
    return memo;
}

void memo_add(struct policy *policy, struct state *state, const struct state *parent,
              const uint32_t *matched, size_t count, const struct state *target)
{
    if (count == 0 && !parent) {
        atomic_store_explicit(&state->unmatched, target, memory_order_release);
        return;
    }
    if (policy->transition_count >= MAX_TRANSITIONS)
        return;
    struct memo *memo = memo_with_room(policy, state);
    struct transition *made =
        memo ? policy_allocate(policy, sizeof(*made) + count * sizeof(*matched)) : NULL;
    if (!made)
        return;
    *made = (struct transition){.hash = hash_key(parent, matched, count),
                                .parent = parent,
                                .target = target,
                                .count = count};
    memcpy(made->matched, matched, count * sizeof(*matched));
    place(memo, made);
    policy->transition_count++;
}
