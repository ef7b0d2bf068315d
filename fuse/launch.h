/* From a scope to its mounted view: what `mount`, `up` and `restart` share. */
#ifndef SCOPEFS_FUSE_LAUNCH_H
#define SCOPEFS_FUSE_LAUNCH_H

#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct launch {
    const struct scope *scope;
    const char *place;       /* NULL: where the scope or the default says, made if it is missing */
    const char *config_file; /* the scope's, or NULL when it came from a command line */
    uint64_t config_digest;  /* with config_file */
    bool foreground, for_user, for_all;
    uid_t user; /* with for_user */
    gid_t group;
};

/* Where the scope is mounted unless the command line says otherwise; the caller frees it. */
char *launch_place(const struct scope *scope);

/* The same as the mount table will have it, as far as its folder is there. */
char *launch_clean_place(const struct scope *scope);

/* Checks, mounts, and returns when the view can be used; in the foreground, when it is unmounted.
 * 0, or -1 with *error set and nothing mounted. */
int launch_view(const struct launch *launch, struct error **error);

#endif
