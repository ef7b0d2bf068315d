/* Mounting many scopes at once: several at a time, those that others stand in first. */
#ifndef SCOPEFS_FUSE_BRING_UP_H
#define SCOPEFS_FUSE_BRING_UP_H

#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>

struct bring_up {
    const struct scope *const *scopes;
    size_t count;
    const char *config_file; /* absolute */
    uint64_t config_digest;
    bool keep_going;     /* what could be mounted stays when something else could not */
    const char *command; /* in front of messages */
};

/* Mounts those that are not mounted yet, tells each on standard output or standard error, and
 * returns how many could not be mounted: then without keep_going what it mounted is gone again. -1
 * with *error set when nothing was tried. */
int bring_up(const struct bring_up *wanted, struct error **error);

#endif
