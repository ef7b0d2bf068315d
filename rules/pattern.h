/*
 * The text of a pattern taken apart: gitignore's syntax with braces on top. `{a,b/c}` is expanded
 * as text, so a pattern is a list of alternatives, each a list of components, each a list of
 * elements that match one byte or, the star, any number of them.
 */
#ifndef RULES_PATTERN_H
#define RULES_PATTERN_H

#include "arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_MAX_ALTERNATIVES 1024

/* A set of byte values. */
struct byte_set {
    uint64_t words[4];
};

static inline void byte_set_add(struct byte_set *set, unsigned char byte)
{
    set->words[byte / 64] |= UINT64_C(1) << (byte % 64);
}

static inline bool byte_set_has(const struct byte_set *set, unsigned char byte)
{
    return set->words[byte / 64] >> (byte % 64) & 1;
}

enum element_kind { ELEMENT_BYTE, ELEMENT_ONE, ELEMENT_STAR, ELEMENT_SET };

struct element {
    enum element_kind kind;
    unsigned char byte;         /* ELEMENT_BYTE */
    bool negated;               /* ELEMENT_SET: matches what is not in the set */
    const struct byte_set *set; /* ELEMENT_SET */
};

struct glob_component {
    const struct element *elements; /* never empty, never two stars in a row */
    size_t count;
    bool floating; /* any number of directories may come before it */
};

struct alternative {
    const struct glob_component *components; /* none: the pattern "/" */
    size_t count;
    struct alternative *next;
};

struct pattern {
    struct alternative *alternatives; /* never NULL */
};

struct pattern_error {
    size_t offset; /* into the text, from 0 */
    char *message; /* what is wrong, and the mend; owned by the arena */
};

/* Allocates from `arena`, where the pattern lives. NULL with *error set when the text is no
 * pattern. */
const struct pattern *pattern_parse(struct arena *arena, const char *text, size_t length,
                                    struct pattern_error *error);

#endif
