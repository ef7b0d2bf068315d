/* How near two words are to each other: for messages about what could have been meant. */
#ifndef SCOPEFS_WORD_DISTANCE_H
#define SCOPEFS_WORD_DISTANCE_H

#include <stddef.h>

/* How many bytes must be put in, taken out or replaced (Levenshtein); long words are never near. */
size_t word_distance(const char *one, const char *other);

#endif
