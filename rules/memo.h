/*
 * Where names have led from a state before. A memo is read without a lock while one thread, which
 * holds the policy's mutex, adds to it: entries never change, a larger memo replaces a full one,
 * and the old one stays readable as long as the policy lives.
 */
#ifndef RULES_MEMO_H
#define RULES_MEMO_H

#include "policy_internal.h"

/* Where a name that matches these positions leads, or NULL when that is not known yet. */
const struct state *memo_find(const struct state *state, const struct state *parent,
                              const uint32_t *matched, size_t count);

/* Remembers it, if memory allows. The mutex is held. */
void memo_add(struct policy *policy, struct state *state, const struct state *parent,
              const uint32_t *matched, size_t count, const struct state *target);

#endif
