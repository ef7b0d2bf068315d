/*
 * What the server gives up before the first request, so that a bug in it is not the host's end:
 * capabilities, core dumps and ptrace by others, every path but the source's (Landlock), and every
 * system call that no request needs (seccomp). SECURITY.md tells the owner the same.
 */
#ifndef SCOPEFS_FUSE_CONFINE_H
#define SCOPEFS_FUSE_CONFINE_H

#include "view.h"

#include "scopefs/error.h"

/* Applies to all threads that this one starts from now on. -1 with *error set when a step that the
 * kernel offers failed; a kernel without Landlock is a warning in the log. */
int confine_server(const struct view *view, struct error **error);

#endif
