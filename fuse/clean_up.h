/* Taking away what a killed process left: dead views, run files and sockets without a supervisor,
 * and the folders of private views whose helper is gone. */
#ifndef SCOPEFS_FUSE_CLEAN_UP_H
#define SCOPEFS_FUSE_CLEAN_UP_H

#include "scopefs/error.h"

/* Which dead views are taken away: none, those that the caller has mounted, or all on the host. */
enum clean_views { CLEAN_NO_VIEWS, CLEAN_OWN_VIEWS, CLEAN_ALL_VIEWS };

/* Beside the views only what no mounted view has. Calls `tell` (may be NULL) with
 * a line for each thing that was removed. 0, or -1 with *error when something could not be looked
 * at; what cannot be removed is told and stays. */
int clean_up(enum clean_views views, void (*tell)(const char *line), struct error **error);

#endif
