/*
 * The rule engine: which level a path of a scope has, and what decided it. The FUSE layer steps
 * states name by name, the command line decides whole paths; both are the same function. Nothing
 * here looks at a file system, so a decision cannot depend on whether a file exists.
 *
 * A policy is built once and never changes. States are made when they are first needed, interned, and
 * live as long as their policy; state_step may be called from any number of threads.
 */
#ifndef SCOPEFS_POLICY_H
#define SCOPEFS_POLICY_H

#include <stdbool.h>
#include <stddef.h>

enum level { LEVEL_NONE, LEVEL_VIEW, LEVEL_READ, LEVEL_WRITE };

const char *level_name(enum level level);
/* False, and *level untouched, when `name` is not one of none, view, read, write. */
bool level_parse(const char *name, enum level *level);

/* Where a rule stands and what it says. Owned by its policy. */
struct rule {
    enum level level;
    const char *pattern; /* as written, after unquoting */
    const char *file;
    unsigned line, column; /* of the pattern, from 1 */
    bool is_ceiling;
};

/* A level and what decided it. Pointers are owned by the policy. */
struct verdict {
    enum level level;           /* what the path gets */
    enum level wanted;          /* what rule or default alone would give */
    const struct rule *rule;    /* the last one that covers the path; NULL: the scope's default */
    const struct rule *ceiling; /* the covering ceiling that lowered the level, or NULL */
    const char *parent;         /* the scope above that lowered it further, or NULL */
    bool way_through;           /* level is none, but a directory here is shown on the way to
                                   something below that may be visible */
};

struct policy;
struct state;

/* Its rules in file order, presets first, and behind them its ceilings; NULL behind the last. */
const struct rule *policy_rule(const struct policy *policy, size_t number);

/* The state of the scope's own root. */
const struct state *policy_root(const struct policy *policy);

/* The state that hides everything. */
const struct state *policy_hidden(const struct policy *policy);

/* The state of the entry `name` (any bytes but '/' and NUL) in a directory with this state. Never
 * NULL: when memory or a matching limit runs out, it is the state that hides everything. */
const struct state *state_step(const struct state *state, const char *name, size_t length);

/* The level of the path itself. */
enum level state_level(const struct state *state);

/* The highest level that the path or anything below it could have. */
enum level state_reach(const struct state *state);

/* Whether something below a directory with this state could be `none`, so that its link count and
 * size must not be told. */
bool state_may_hide(const struct state *state);

/* Whether a directory is shown here although its level is none. */
bool state_is_way_through(const struct state *state);

/* Whether every possible path below has the same level under both, and the two themselves too: what
 * a directory may be renamed between. The rule that gave the level does not count. */
bool state_equivalent(const struct state *one, const struct state *other);

struct verdict state_verdict(const struct state *state);

/* The state of a path relative to the root. Leading, trailing and repeated slashes and "." count
 * nothing. NULL when a component is "..", which has no meaning here. */
const struct state *policy_find(const struct policy *policy, const char *path, size_t length);

/* One rule or ceiling that covers a path. */
struct match {
    const struct rule *rule;
    size_t covered; /* the length of the shortest leading part of the path that it matches */
    bool decides;   /* it is the verdict's rule or ceiling */
};

struct explanation {
    struct verdict verdict;
    struct match *matches; /* in file order, rules first, then ceilings */
    size_t count;
};

/* False for a path with "..". On success the caller owns *explanation (explanation_free). */
bool policy_explain(const struct policy *policy, const char *path, size_t length,
                    struct explanation *explanation);
void explanation_free(struct explanation *explanation);

#endif
