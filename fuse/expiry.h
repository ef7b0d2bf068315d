/* Views that unmount by themselves, when their time is over ('expires') or nobody has asked them
 * for anything for a while ('idle'). One that somebody has open, or stands in, stays until later.
 */
#ifndef SCOPEFS_FUSE_EXPIRY_H
#define SCOPEFS_FUSE_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

struct expiry {
    int64_t expires_at, look_at; /* in milliseconds of a clock of its own; 0: never */
    int64_t idle_ms;
    unsigned long long operations; /* when it was looked at last */
};

void expiry_start(struct expiry *expiry, unsigned long expires_ms, unsigned long idle_ms);

/* For how long poll(2) may wait, in milliseconds; -1: forever. */
int expiry_timeout(const struct expiry *expiry);

/* Whether it is time to look, which needs the number of operations. */
bool expiry_is_due(const struct expiry *expiry);

/* True when the view should be unmounted now; else, and when that fails, it is due again later. */
bool expiry_look(struct expiry *expiry, unsigned long long operations);

#endif
