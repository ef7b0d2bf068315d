/* Taking a view away: by umount2(2) as root, through fusermount3 otherwise. */
#ifndef SCOPEFS_FUSE_UNMOUNT_H
#define SCOPEFS_FUSE_UNMOUNT_H

#include "scopefs/error.h"

#include <stdbool.h>

/* `lazy`: also when it is in use; it goes when the last user is through (umount2(2), MNT_DETACH).
 */
int unmount_view(const char *point, bool lazy, struct error **error);

#endif
