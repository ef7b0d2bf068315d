/*
 * Owners' programs that follow what a view refuses, as it happens and without counting repeats
 * together: each by a connection of its own, on which lines come: the number of the process's pid
 * namespace (0: it was gone already), a blank, and the JSON of audit_line.h. When the program says
 * "end", what was decided before that is told, and then a line with a dot.
 */
#ifndef SCOPEFS_FUSE_AUDIT_FEED_H
#define SCOPEFS_FUSE_AUDIT_FEED_H

#include "scopefs/audit_line.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

enum { AUDIT_FEEDS = 64 };

struct audit_feeds {
    int fds[AUDIT_FEEDS];
    unsigned long lost[AUDIT_FEEDS]; /* what one did not take, since the last line that it took */
    size_t count;
};

bool audit_feeds_are_full(const struct audit_feeds *feeds);

/* Takes the connection over. */
void audit_feeds_add(struct audit_feeds *feeds, int fd);

/* What to poll for. */
void audit_feeds_want(const struct audit_feeds *feeds, struct pollfd wanted[AUDIT_FEEDS]);

/* Whether one of them has said "end", or is gone. */
bool audit_feeds_have_ended(const struct audit_feeds *feeds, const struct pollfd *ready);

/* Ends those, when all was told that there is. */
void audit_feeds_finish(struct audit_feeds *feeds, const struct pollfd *ready);

void audit_feeds_tell(struct audit_feeds *feeds, const struct audit_line *line);

void audit_feeds_close(struct audit_feeds *feeds);

#endif
