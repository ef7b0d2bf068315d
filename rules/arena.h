/* Memory that is given out piece by piece and given back all at once: for what lives exactly as
 * long as its configuration. Exhaustion ends the process (see mem.h). */
#ifndef RULES_ARENA_H
#define RULES_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
};

#define cleanup_arena __attribute__((cleanup(arena_free)))

/* Zeroed, aligned for any object. */
void *arena_alloc(struct arena *arena, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(2)));
char *arena_strdup(struct arena *arena, const char *text) __attribute__((malloc, returns_nonnull));
/* A copy of the bytes with a NUL behind them. */
char *arena_memdup0(struct arena *arena, const void *bytes, size_t size)
    __attribute__((malloc, returns_nonnull));
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 2, 3)));

void arena_free(struct arena *arena);

#endif
