/*
 * The meaning of rules, written to be obviously right and not to be fast: patterns are matched as
 * whole strings, every rule against every leading part of the path. Shares no code with rules/.
 */
#ifndef T_UNIT_REFERENCE_MATCHER_H
#define T_UNIT_REFERENCE_MATCHER_H

#include "scopefs/policy.h"

#include <stdbool.h>
#include <stddef.h>

struct reference_rule {
    enum level level;
    bool is_ceiling;
    const char *pattern;
};

/* Whether the pattern (valid, braces and all) covers the path ("" is the root): it matches the path
 * or a directory above it. */
bool reference_covers(const char *pattern, const char *path, bool ignore_case);

/* What the last rule that covers the path gives, and no more than any ceiling. */
enum level reference_decide(const struct reference_rule *rules, size_t count,
                            enum level default_level, const char *path, bool ignore_case);

#endif
