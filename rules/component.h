/*
 * One component of a pattern, compiled to be matched against one name. Most are literals or a
 * literal head and tail around one star and cost a memcmp; the rest go to PCRE2 in byte mode,
 * behind the same checks of head, tail and length.
 */
#ifndef RULES_COMPONENT_H
#define RULES_COMPONENT_H

#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum component_kind { COMPONENT_ANY, COMPONENT_LITERAL, COMPONENT_AFFIXES, COMPONENT_EXPRESSION };

struct component {
    enum component_kind kind;
    bool fixed_length;   /* matches only names of exactly `minimum` bytes */
    size_t minimum;      /* the shortest name that it matches */
    unsigned char *head; /* what every match begins with; owned, in lower case if case is ignored */
    unsigned char *tail; /* what it ends with; points into `head`'s memory */
    size_t head_length, tail_length;
    pcre2_code *expression;
};

/* 0, or -1 with a message from PCRE2 in `message` when it cannot be compiled. */
int component_compile(struct component *component, const struct glob_component *glob,
                      bool ignore_case, char *message, size_t size);
void component_free(struct component *component);

enum match_result { MATCH_NO, MATCH_YES, MATCH_FAILED };

/* MATCH_FAILED when memory or a matching limit ran out: the caller must hide the name. */
enum match_result component_match(const struct component *component, const char *name,
                                  size_t length, bool ignore_case);

/* 'A' to 'Z' only: what lies above depends on somebody's locale. */
static inline unsigned char fold_byte(unsigned char byte, bool ignore_case)
{
    return ignore_case && byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

#endif
