/*
 * What a policy and its states are made of. A policy is built by policy_build.c and sealed; states
 * are made by state_make.c under the policy's mutex and never change, except for two caches of
 * successors that only grow.
 *
 * A position is a component of an alternative of a rule that waits to be matched by the next name.
 * The first components of patterns without a slash wait in every directory; they are in the
 * policy's own index. All others that wait in a directory are its state's `waiting` positions.
 */
#ifndef RULES_POLICY_INTERNAL_H
#define RULES_POLICY_INTERNAL_H

#include "component.h"
#include "intern_table.h"
#include "position_index.h"
#include "scopefs/policy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct position {
    struct component component;
    uint32_t owner;   /* number of its rule, or of its ceiling */
    enum level level; /* of the owner */
    bool is_ceiling;
    bool last;     /* a match here completes the pattern; else the next position waits */
    bool floating; /* it waits on below whatever the name was */
};

/* Owner numbers are stored with 1 added, so that 0 says there is none. */
struct state {
    const struct policy *policy;
    const struct state *parent; /* of the scope above, or NULL */
    uint32_t rule;              /* the last rule so far that covers the path */
    uint32_t ceiling;           /* the ceiling that is in force */
    enum level wanted;          /* level of the rule, or the default */
    enum level limit;           /* level of the ceiling, or write */
    enum level level, reach;
    bool may_hide;
    bool dead; /* hides everything: matching failed somewhere above */
    const struct behaviour *behaviour;
    const uint32_t *waiting; /* position numbers, ascending */
    size_t waiting_count;
    struct position_index *index;            /* of `waiting`; NULL when it is empty */
    _Atomic(const struct state *) unmatched; /* where a name leads that matches nothing */
    _Atomic(struct memo *) memo;             /* where the others lead */
};

struct policy {
    struct rule *rules, *ceilings;
    struct position *positions;
    uint32_t rule_count, ceiling_count, position_count;
    enum level default_level;
    bool ignore_case;
    const struct policy *parent;
    char *parent_name, *parent_path;

    /* What covers the root itself, and the first positions that wait there alone. */
    uint32_t *root_rules, *root_ceilings, *anchored;
    size_t root_rule_count, root_ceiling_count, anchored_count;

    /* First positions that wait everywhere, ascending, which is also by owner. levels_from[i] has a
     * bit for each level that occurs in floating_rules from i on. */
    uint32_t *floating_rules, *floating_ceilings;
    size_t floating_rule_count, floating_ceiling_count;
    unsigned char *levels_from;
    unsigned ceiling_levels;               /* a bit for each level of a floating ceiling */
    struct position_index *floating_index; /* NULL when there are none */
    void *floating_memory;

    const struct state *root;
    struct state dead;

    /* Guarded by `mutex`: everything below, and the writing of the caches in the states. */
    pthread_mutex_t mutex;
    struct intern_table states, behaviours;
    struct memory_block *memory; /* of states, behaviours and caches */
    size_t memory_used;
    size_t transition_count;
    bool limit_logged;
};

static inline unsigned level_bit(enum level level)
{
    return 1u << level;
}

/* A rule may still decide something where `rule` is the best so far, a ceiling where `limit` holds.
 */
static inline bool position_counts(const struct position *position, uint32_t rule, enum level limit)
{
    return position->is_ceiling ? position->level < limit : position->owner + 1 > rule;
}

/* An empty list may be NULL, which memcmp(3) does not take. */
static inline bool same_numbers(const uint32_t *one, const uint32_t *other, size_t count)
{
    return count == 0 || memcmp(one, other, count * sizeof(*one)) == 0;
}

/* Memory that lives as long as the policy; NULL when there is none, or the policy has had its
 * share. The mutex is held. */
void *policy_allocate(struct policy *policy, size_t size);

/* The interned state, made if it is new. `waiting` (ascending, without duplicates) is copied. NULL
 * when memory or the number of states ran out. The mutex is held. */
const struct state *state_intern(struct policy *policy, const struct state *parent, uint32_t rule,
                                 uint32_t ceiling, const uint32_t *waiting, size_t waiting_count);

/* The behaviour of the state that hides everything. */
const struct behaviour *behaviour_of_dead(void);

/* The behaviour class of a state whose other fields are set; NULL when memory ran out. */
const struct behaviour *behaviour_intern(struct policy *policy, const struct state *state);

/* The state behind `state` for a name that matches the positions `matched` (ascending) and leads to
 * `parent` in the scope above. Takes the mutex. */
const struct state *state_follow(const struct state *state, const struct state *parent,
                                 const uint32_t *matched, size_t matched_count);

#endif
