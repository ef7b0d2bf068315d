/* Brace expansion: `a{b,c}d` is the texts `abd` and `acd`. Escapes and brackets are opaque to it.
 */
#ifndef RULES_BRACES_H
#define RULES_BRACES_H

#include "pattern.h"

/* One text without braces. Every byte remembers where it stood in the text as written. */
struct expansion {
    char *bytes;
    size_t *origins; /* one more than `length`: the last is where the text ended */
    size_t length;
    struct expansion *next;
};

/* Checks escapes, brackets and braces of the whole text and expands it, in the order in which the
 * alternatives are written. NULL with *error set. */
struct expansion *braces_expand(struct arena *arena, const char *text, size_t length,
                                struct pattern_error *error);

#endif
