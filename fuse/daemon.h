/* Going to the background so that the caller knows the outcome: the parent returns when the child
 * has said that it is ready, or with the error that kept it from that. */
#ifndef SCOPEFS_FUSE_DAEMON_H
#define SCOPEFS_FUSE_DAEMON_H

#include "scopefs/error.h"

struct daemon {
    int report_fd; /* in the child: where it reports; -1 in the foreground */
};

/* Forks. In the child returns 0. In the parent returns the child's process id once it is ready, or
 * -1 with *error set when it failed. */
int daemon_start(struct daemon *daemon, struct error **error);

/* In the child: ready. `daemon` is a struct daemon, so that it can be a callback. Leaves the
 * caller's terminal and folder. */
void daemon_ready(void *daemon);

/* In the child: failed with this message. */
void daemon_failed(struct daemon *daemon, const struct error *error);

#endif
