/*
 * The meaning of rules, written to be obviously right and not to be fast: patterns are matched as
 * whole strings, every rule against every leading part of the path. Shares no code with rules/.
 */
#ifndef T_UNIT_REFERENCE_MATCHER_H
#define T_UNIT_REFERENCE_MATCHER_H

#include <stdbool.h>

/* Whether the pattern (valid, braces and all) covers the path ("" is the root): it matches the path
 * or a directory above it. */
bool reference_covers(const char *pattern, const char *path, bool ignore_case);

#endif
