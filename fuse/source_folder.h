/* The source of a scope that says 'create = yes': made with its view, taken away on request. */
#ifndef SCOPEFS_FUSE_SOURCE_FOLDER_H
#define SCOPEFS_FUSE_SOURCE_FOLDER_H

#include "scopefs/config.h"
#include "scopefs/error.h"

#include <sys/types.h>

/* Makes the folder and those above it, if it is missing; it alone belongs to the user. */
int source_folder_make(const struct scope *scope, uid_t user, gid_t group, struct error **error);

/* Removes the folder of a scope that says 'create = yes' with all that is in it, and what was
 * logged of the scope. Nothing is removed through a symlink, and nothing of another mount. */
int source_folder_purge(const struct scope *scope, const char *config_file, struct error **error);

#endif
