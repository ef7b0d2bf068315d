/* An input as lines: rules, then an empty line, then paths. */
#ifndef T_FUZZ_LINES_H
#define T_FUZZ_LINES_H

#include <stddef.h>
#include <stdint.h>

enum { RULES_AT_MOST = 16, PATHS_AT_MOST = 16 };

struct lines {
    char *memory;
    char *rules[RULES_AT_MOST + 1]; /* end with NULL, each without NULs */
    size_t rule_count;
    const char *paths[PATHS_AT_MOST];
    size_t path_lengths[PATHS_AT_MOST];
    size_t path_count;
};

void lines_read(struct lines *lines, const uint8_t *data, size_t size);
void lines_free(struct lines *lines);

#endif
