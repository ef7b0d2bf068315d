/*
 * The process that stands beside the server of a view. It is not confined and touches nothing that
 * comes from the agent: it reads configurations, unmounts, answers the owner's commands on the
 * control socket, and turns signals into both (SIGTERM and SIGINT unmount, SIGHUP reloads). It
 * wakes up for nothing else.
 */
#ifndef SCOPEFS_FUSE_SUPERVISOR_H
#define SCOPEFS_FUSE_SUPERVISOR_H

#include "session.h"

#include <sys/types.h>

/* The signals that the supervisor reads; blocked before the server is forked, so that none is lost.
 */
void supervisor_block_signals(void);

/* The supervisor's ends of what leads to the server; owned. */
struct server_link {
    int channel_fd; /* see channel.h */
    int audit_fd;   /* see audit.h */
};

/* Runs until the server has ended, then unmounts; a server that was killed leaves the dead mount,
 * so that nothing else is seen in its place. -1 with *error set when the server never came up. */
int supervisor_run(const struct session_plan *plan, pid_t server, const struct server_link *link,
                   struct error **error);

#endif
