/* Durations as ini files and command lines write them: a whole number with its unit, "1500ms",
 * "90s", "2m", "1h" or "1d", or "0", which is none. */
#ifndef SCOPEFS_DURATION_H
#define SCOPEFS_DURATION_H

#include <stdbool.h>

/* How a message tells what parses. */
#define DURATION_SYNTAX                                                                            \
    "write a whole number from 1 with its unit: 500ms, 30s, 5m, 1h, 1d; or 0: none"

/* False, and *milliseconds untouched, when the text is no duration or is too long to count. */
bool duration_parse(const char *text, unsigned long *milliseconds);

#endif
