/* FNV-1a, for tables and for telling whether something changed. Whoever chooses the bytes can make
 * two that have one hash: what must not be mixed up is compared as well. */
#ifndef SCOPEFS_HASH_H
#define SCOPEFS_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Goes on from the hash of what comes before, or from HASH_START. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
