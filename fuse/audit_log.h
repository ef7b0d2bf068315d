/*
 * What the server tells of, as the supervisor takes it up and passes it on to where the scope wants
 * it. What repeats within a while is passed on once, and then how often it came again.
 */
#ifndef SCOPEFS_FUSE_AUDIT_LOG_H
#define SCOPEFS_FUSE_AUDIT_LOG_H

#include "audit_feed.h"

#include "scopefs/audit_sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_repeat;

struct audit_log {
    const char *scope; /* borrowed */
    int pipe_fd;       /* from the server; owned */
    struct audit_sink sink;
    struct audit_feeds feeds;
    bool tell_people; /* lines for people go to the log as well */
    bool is_paused;   /* a flood: read again when the timeout is over */
    struct audit_repeat *repeats;
    size_t pending; /* how many of them have come again */
    char *bytes;    /* of a record that is not whole yet */
    size_t length;
};

/* Takes the descriptor over. `targets`: of enum log_target. */
void audit_log_open(struct audit_log *log, const char *scope, unsigned targets, int pipe_fd,
                    bool tell_people);

/* The descriptor to poll for input, -1 for none at present. */
int audit_log_descriptor(const struct audit_log *log);

/* For how long poll(2) may wait, in milliseconds; -1: forever. */
int audit_log_timeout(const struct audit_log *log);

/* Call when there is input or the time is over. */
void audit_log_run(struct audit_log *log, bool has_input);

/* Takes up what the server has told of until now. */
void audit_log_catch_up(struct audit_log *log);

/* Writes what is left. */
void audit_log_close(struct audit_log *log);

#endif
