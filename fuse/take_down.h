/* Unmounting many scopes at once, those that stand in others first. */
#ifndef SCOPEFS_FUSE_TAKE_DOWN_H
#define SCOPEFS_FUSE_TAKE_DOWN_H

#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>

struct take_down {
    const struct scope *const *scopes;
    size_t count;
    const char *config_file; /* absolute: views of scopes of this file alone */
    bool all;                /* of whatever scope of the file */
    bool lazy;               /* also when they are in use */
    bool quiet;              /* say only what went wrong */
    const char *command;     /* in front of messages */
};

/* Unmounts all views of the scopes and waits until their processes have ended. Returns how many
 * could not be unmounted, each told on standard error, or -1 with *error set. */
int take_down(const struct take_down *wanted, struct error **error);

#endif
