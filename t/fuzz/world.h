/*
 * The small world that requests are thrown at: a source with something at every level, and a
 * directory beside it. What the rules hide holds a canary, which no answer may ever hold, and what
 * they do not let change has to stay as it is.
 */
#ifndef T_FUZZ_WORLD_H
#define T_FUZZ_WORLD_H

#include <stdbool.h>
#include <stddef.h>

extern const char world_canary[], world_hidden_name[];

/* The rules, for config_from_options. */
extern const char *const world_rules[];

/* Makes it anew; the first call makes the folder, which goes away at exit. Returns an O_PATH
 * descriptor of the source, which the caller owns. */
int world_make(void);

/* What has changed that must not have, or NULL. */
const char *world_changed(void);

/* Whether the bytes hold a canary or a hidden name. */
bool world_betrayed_by(const void *bytes, size_t size);

#endif
