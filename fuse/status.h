/* What `ps` tells about a view: asked of its supervisor, which asks the server. */
#ifndef SCOPEFS_FUSE_STATUS_H
#define SCOPEFS_FUSE_STATUS_H

#include "scopefs/error.h"
#include "scopefs/mount_table.h"
#include "scopefs/strbuf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The file that the rules in force come from. */
struct policy_file {
    char *path;      /* absolute; NULL: there is none */
    uint64_t digest; /* of what was read, see config_digest */
};

/* The supervisor's part of the answer: "KEY=VALUE" lines, the server's counters among them. */
void status_write(struct strbuf *reply, const char *source, pid_t server,
                  const struct policy_file *file, const char *counters);

struct view_status {
    char *source;
    char *policy_file;  /* "" when there is none */
    char *policy_state; /* "current", "changed", "gone" or "none" */
    char *passthrough;  /* see passthrough_state */
    pid_t server;
    long memory_kib; /* of both processes; -1 when not known */
    unsigned long long handles, nodes, operations, refusals;
};

/* Asks for the status without waiting for the answer. A descriptor, or -1. */
int status_ask(const struct mount_row *row);

/* Reads the answer and closes the descriptor. False when there is none in time. On success the
 * caller owns *status (status_free). */
bool status_take(int fd, struct view_status *status);
void status_free(struct view_status *status);

#endif
