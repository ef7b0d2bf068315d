/*
 * Which positions could match a name, found without looking at the others: literals under the hash
 * of the whole name, patterns with a literal head or tail under the hash of up to 16 bytes of it.
 * Only what has neither is tried for every name. What is found may still fail to match.
 */
#ifndef RULES_POSITION_INDEX_H
#define RULES_POSITION_INDEX_H

#include "component.h"

struct position; /* policy_internal.h */

/* All positions with one key. */
struct index_slot {
    uint32_t hash;  /* of the key and its class */
    uint32_t count; /* 0: free */
    uint32_t first; /* number of the first entry */
};

struct index_entry {
    uint32_t position;
    uint32_t next; /* only read while the slot's count says that there is one */
};

struct position_index {
    uint32_t head_lengths, tail_lengths; /* bit N: some key is N bytes long */
    bool has_literals;
    uint32_t filter_mask;     /* of the bits of `filter`, whose number is a power of two */
    uint32_t mask;            /* of `slots`, likewise */
    uint64_t *filter;         /* says of most hashes that they are not there, in little memory */
    struct index_slot *slots; /* open addressing */
    struct index_entry *entries;
    uint32_t entry_count;
    uint32_t *unkeyed;
    size_t unkeyed_count;
};

/* The memory that an index of `count` positions needs, and its building in that memory. */
size_t position_index_size(size_t count);
void position_index_build(struct position_index *index, void *memory,
                          const struct position *positions, const uint32_t *numbers, size_t count);

/* Called for each candidate; false ends the search. */
typedef bool position_visitor(void *context, uint32_t position);

bool position_index_search(const struct position_index *index, const char *name, size_t length,
                           position_visitor *visit, void *context);

#endif
