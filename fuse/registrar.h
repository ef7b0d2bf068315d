/*
 * The process that registers files with the kernel for FUSE passthrough. The kernel takes them only
 * from CAP_SYS_ADMIN, which the server that talks to agents must not have; so a child of the server
 * keeps that one capability and can do nothing but these two ioctls. A server that was taken over
 * gains no file by it: what it hands over is one that it had opened itself, confined as it is, and
 * is refused unless it is a regular file on the source's mount and below the source.
 */
#ifndef SCOPEFS_FUSE_REGISTRAR_H
#define SCOPEFS_FUSE_REGISTRAR_H

#include "scopefs/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* Before the caller is confined. The child ends with its parent, since it holds the FUSE descriptor
 * as well, and the view must not outlive its server. Returns the socket to it, or -1 with *error
 * set. */
int registrar_start(int fuse_fd, int source_fd, bool submounts, struct error **error);

/* One at a time: a request and its answer belong together. The id under which the kernel knows the
 * file behind the descriptor, or a negative errno. */
int registrar_open(int socket_fd, int fd);

/* The kernel forgets the id. There is no answer. */
void registrar_close(int socket_fd, int id);

#endif
