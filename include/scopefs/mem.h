/*
 * Memory with visible ownership: cleanup attributes, an explicit steal, and allocators for start-up
 * code. The x* allocators end the process when memory is gone, so they belong where a dead process
 * is the closed state (loading rules, planning a command). Code that answers requests uses malloc
 * and returns ENOMEM.
 */
#ifndef SCOPEFS_MEM_H
#define SCOPEFS_MEM_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Frees a pointer variable at the end of its block: `cleanup_free char *name = NULL;`. */
#define cleanup_free __attribute__((cleanup(mem_cleanup_free)))

/* Gives away what the pointer variable holds and leaves NULL in it. */
#define steal_pointer(variable)                                                                    \
    __extension__({                                                                                \
        __typeof__(variable) stolen_ = (variable);                                                 \
        (variable) = NULL;                                                                         \
        stolen_;                                                                                   \
    })

void mem_cleanup_free(void *pointer_variable);

/* Each returns memory the caller frees, and never NULL. */
void *xmalloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xmemdup0(const void *bytes, size_t size) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
/* As reallocarray(3); `pointer` is gone afterwards. */
void *xreallocarray(void *pointer, size_t count, size_t size) __attribute__((returns_nonnull));

#endif
