/* Building a policy: made, given its rules in order, sealed, and constant from then on. */
#ifndef RULES_POLICY_BUILD_H
#define RULES_POLICY_BUILD_H

#include "pattern.h"
#include "scopefs/policy.h"

struct policy_options {
    enum level default_level;
    bool ignore_case;
    const struct policy *parent; /* of the scope above, which must outlive this one; or NULL */
    const char *parent_name;
    const char *parent_path; /* this scope's source, relative to the parent's */
};

/* Strings are copied. */
struct policy *policy_new(const struct policy_options *options);

/* Adds a rule or ceiling behind those before it. `rule` is copied, its strings must outlive the
 * policy. False with a message in `message` when PCRE2 cannot compile the pattern. */
bool policy_add(struct policy *policy, const struct rule *rule, const struct pattern *pattern,
                char *message, size_t size);

void policy_seal(struct policy *policy);

/* The first rule that makes the names of directories visible all over a scope that hides them
 * otherwise: a pattern without a slash, in a policy whose root is `none`. Or NULL. */
const struct rule *policy_next_revealing_rule(const struct policy *policy,
                                              const struct rule *after);

void policy_free(struct policy *policy);

#endif
