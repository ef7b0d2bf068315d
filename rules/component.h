/*
 * One component of a pattern, compiled to be matched against one name. What stands before the first
 * star and behind the last one has its fixed place in the name: literal bytes there cost a memcmp,
 * other elements a look into a set each. Only what stands between two stars is left to PCRE2, in
 * byte mode.
 *
 * Where case is ignored, both sides are folded: the pattern when it is compiled, and the name by
 * whoever asks.
 */
#ifndef RULES_COMPONENT_H
#define RULES_COMPONENT_H

#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum component_kind { COMPONENT_ANY, COMPONENT_LITERAL, COMPONENT_GLOB, COMPONENT_EXPRESSION };

struct component {
    enum component_kind kind;
    bool fixed_length; /* matches only names of exactly `minimum` bytes */
    size_t minimum;    /* the shortest name that it matches */
    uint64_t required; /* the bytes that every match holds, as byte_bit makes them */

    /* Every match begins with `head` and then a byte of each of `first`, and ends with a byte of
     * each of `last` and then `tail`. The pointers own their memory. */
    unsigned char *head, *tail;
    struct byte_set *first, *last;
    size_t head_length, tail_length, first_count, last_count;

    pcre2_code *expression; /* COMPONENT_EXPRESSION: the whole component */
};

/* 0, or -1 with a message from PCRE2 in `message` when it cannot be compiled. */
int component_compile(struct component *component, const struct glob_component *glob,
                      bool ignore_case, char *message, size_t size);
void component_free(struct component *component);

enum match_result { MATCH_NO, MATCH_YES, MATCH_FAILED };

/* `present` is bytes_present(name). MATCH_FAILED when memory or a matching limit ran out: the
 * caller must hide the name. */
enum match_result component_match(const struct component *component, const char *name,
                                  size_t length, uint64_t present);

/* Whether an element that is no star matches the byte, which is folded if case is ignored. */
bool element_matches(const struct element *element, unsigned char byte, bool ignore_case);

/* Writes the name in lower case to `folded`, which has room for NAME_MAX bytes. False when it is
 * longer, or holds bytes beyond ASCII: a file system that folds case may fold such a name to one
 * that a rule hides, so it must be hidden too. */
bool name_fold(const char *name, size_t length, char *folded);

/* Four byte values share a bit. */
static inline uint64_t byte_bit(unsigned char byte)
{
    return UINT64_C(1) << (byte % 64);
}

static inline uint64_t bytes_present(const char *name, size_t length)
{
    uint64_t present = 0;
    for (size_t i = 0; i < length; i++)
        present |= byte_bit((unsigned char)name[i]);
    return present;
}

/* 'A' to 'Z' only: what lies above depends on somebody's locale. */
static inline unsigned char fold_byte(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

#endif
