/* Bracket expressions of a pattern, read as git's wildmatch reads them. */
#ifndef RULES_BRACKET_H
#define RULES_BRACKET_H

#include "pattern.h"

struct bracket {
    struct byte_set set;
    bool negated;
};

/* Reads the expression whose '[' is text[*at] and leaves *at behind its ']'. False with *error set,
 * whose offset counts in `text`. */
bool bracket_parse(struct arena *arena, const char *text, size_t length, size_t *at,
                   struct bracket *bracket, struct pattern_error *error);

#endif
