/*
 * All views that are mounted on this host, with what the run files of the caller tell about them.
 * Nothing here touches a view, so that one that does not answer holds nobody up.
 */
#ifndef SCOPEFS_FUSE_ROSTER_H
#define SCOPEFS_FUSE_ROSTER_H

#include "run_file.h"

#include "scopefs/config.h"
#include "scopefs/error.h"
#include "scopefs/mount_table.h"

#include <stdbool.h>

struct roster_view {
    const struct mount_row *row;
    bool has_record; /* its run file is in the runtime folder of the calling user */
    struct run_record record;
};

struct roster {
    struct mount_table table;
    struct roster_view *views; /* in mount order */
    size_t count;
};

#define cleanup_roster __attribute__((cleanup(roster_free)))

int roster_read(struct roster *roster, struct error **error);
void roster_free(struct roster *roster);

/* The topmost view at this path (absolute, without symlinks), or NULL. */
const struct roster_view *roster_at(const struct roster *roster, const char *point);

/* Whether it is of this scope of this file (absolute), and the caller may take it away. */
bool roster_view_is_of(const struct roster_view *view, const struct scope *scope,
                       const char *config_file);

/* Whether its server is gone. Its supervisor may still be about to end. */
bool roster_view_answers_nothing(const struct roster_view *view);

/* Whether nobody serves it any more. Looks at the view when its supervisor is not known. */
bool roster_view_is_dead(const struct roster_view *view);

#endif
