/* A growing set of pointers by hash, for interning: open addressing, nothing is ever taken out. */
#ifndef RULES_INTERN_TABLE_H
#define RULES_INTERN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intern_slot {
    uint64_t hash;
    void *item; /* NULL: free */
};

struct intern_table {
    struct intern_slot *slots;
    size_t room, count;
};

typedef bool intern_equal(const void *item, const void *key);

/* The item with this hash that is equal to `key`, or NULL. */
void *intern_find(const struct intern_table *table, uint64_t hash, const void *key,
                  intern_equal *equal);

/* False when memory ran out. */
bool intern_add(struct intern_table *table, uint64_t hash, void *item);

void intern_free(struct intern_table *table);

/* Hashes are built up word by word from HASH_START. */
#define HASH_START UINT64_C(0x9ae16a3b2f90404f)

static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

#endif
