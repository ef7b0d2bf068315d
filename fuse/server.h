/*
 * The process that serves a view: it holds the FUSE descriptor and the source, and nothing else of
 * the host. Its supervisor, which it was forked from, does the rest (see supervisor.h).
 */
#ifndef SCOPEFS_FUSE_SERVER_H
#define SCOPEFS_FUSE_SERVER_H

#include "view.h"

/* Confines itself, tells the supervisor when the kernel has said hello, and serves until the view
 * is unmounted or SIGTERM comes. Returns the exit status. */
int server_run(struct view *view, int channel_fd);

/* The INIT request. */
void server_started(void *view, struct fuse_conn_info *connection);

#endif
