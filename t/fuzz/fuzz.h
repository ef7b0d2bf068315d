/* What every fuzz target has: libFuzzer's entry, which replay.c calls too, and a check that ends
 * the run when a promise is broken. */
#ifndef T_FUZZ_FUZZ_H
#define T_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Tries one input. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts when the promise does not hold, with what it was. */
#define fuzz_check(holds, ...)                                                                     \
    do {                                                                                           \
        if (!(holds))                                                                              \
            fuzz_broken(__FILE__, __LINE__, __VA_ARGS__);                                          \
    } while (0)

_Noreturn void fuzz_broken(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The bytes as a file: a path that can be opened until the next call. */
const char *fuzz_file(const void *bytes, size_t size);

#endif
