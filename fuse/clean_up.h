/* Taking away what a killed process left: dead views, run files and sockets without a supervisor,
 * and the folders of private views whose helper is gone. */
#ifndef SCOPEFS_FUSE_CLEAN_UP_H
#define SCOPEFS_FUSE_CLEAN_UP_H

#include "scopefs/error.h"

#include <stdbool.h>

/* `views`: dead views, too; without, only what no mounted view has. Calls `tell` (may be NULL) with
 * a line for each thing that was removed. 0, or -1 with *error when something could not be looked
 * at; what cannot be removed is told and stays. */
int clean_up(bool views, void (*tell)(const char *line), struct error **error);

#endif
