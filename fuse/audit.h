/*
 * What the rules refused, and on request what they allowed, on its way from the server to the
 * supervisor: a pipe that never blocks. When it is full the record is counted as dropped, so that
 * a flood slows nobody. The agent sees nothing of it.
 */
#ifndef SCOPEFS_FUSE_AUDIT_H
#define SCOPEFS_FUSE_AUDIT_H

#include "guard.h"

#include <stdint.h>

/* One thing that was decided. Strings are NUL-terminated. */
struct audit_record {
    int64_t time_ms; /* since 1970 */
    pid_t process;   /* 0: the kernel's own request */
    uid_t user;
    enum level wanted, level;
    int answer;       /* errno; 0: allowed */
    uint32_t dropped; /* records lost since the one before */
    const char *operation;
    const char *decider; /* "FILE:LINE", "default", or "parent NAME" */
    const char *rule;    /* "LEVEL = PATTERN", or "" */
    const char *path;    /* from the view's root, which is "/"; cut when very long */
};

/* For the server: tells of `name` in the node, or of the node itself when that is NULL. `answer` is
 * 0 for what was allowed, which is told only where the scope asks for it. */
void audit_note(struct view *view, struct node *node, const char *name, const struct state *state,
                enum want want, const char *operation, int answer);

/* Makes the pipe: ends[0] is the supervisor's, ends[1] the server's. -1 with errno. */
int audit_pipe(int ends[2]);

/* For the supervisor: decodes the first record of the bytes, whose strings it borrows. Returns the
 * size that the record takes, 0 when it is not whole yet, or -1 for nonsense. */
ssize_t audit_decode(const char *bytes, size_t size, struct audit_record *record);

#endif
