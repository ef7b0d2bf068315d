/*
 * The capabilities of a server that root started. A thread has a small set in effect; one more can
 * be raised for a single call.
 */
#ifndef SCOPEFS_FUSE_PRIVILEGE_H
#define SCOPEFS_FUSE_PRIVILEGE_H

#include "scopefs/error.h"

#include <sys/types.h>

/* Gives up what no request needs. -1 with *error set. */
int privilege_drop(struct error **error);

/* Keeps CAP_SYS_ADMIN, and nothing else. 0 or an errno: EPERM where it is not there. */
int privilege_keep_admin(void);

/* chmod(2) of `name` (a symlink is followed) that leaves the setgid bit on when `mode` has it,
 * whatever group the file has. 0 or an errno. */
int privilege_chmod(int directory_fd, const char *name, mode_t mode);

#endif
