/*
 * The audit file of a scope, as the supervisor writes it: JSON lines in RUNTIME/.SCOPE.audit, which
 * is renamed to .SCOPE.audit.1 and so on when it is full. What repeats within a while is written
 * once, and then how often it came again. Several views of a scope may write to one file.
 */
#ifndef SCOPEFS_FUSE_AUDIT_LOG_H
#define SCOPEFS_FUSE_AUDIT_LOG_H

#include "scopefs/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_repeat;

struct audit_log {
    const char *scope; /* borrowed */
    int pipe_fd;       /* from the server; owned */
    int folder_fd, file_fd;
    bool tell_people; /* lines for people go to the log as well */
    bool is_paused;   /* a flood: read again when the timeout is over */
    bool has_failed;  /* it was told that the file cannot be written */
    struct audit_repeat *repeats;
    size_t pending; /* how many of them have come again */
    char *bytes;    /* of a record that is not whole yet */
    size_t length;
};

/* Takes the descriptor over. */
void audit_log_open(struct audit_log *log, const char *scope, int pipe_fd, bool tell_people);

/* The descriptor to poll for input, -1 for none at present. */
int audit_log_descriptor(const struct audit_log *log);

/* For how long poll(2) may wait, in milliseconds; -1: forever. */
int audit_log_timeout(const struct audit_log *log);

/* Call when there is input or the time is over. */
void audit_log_run(struct audit_log *log, bool has_input);

/* Writes what is left. */
void audit_log_close(struct audit_log *log);

/* The name of the file in the runtime folder: generation 0 is written now, AUDIT_GENERATIONS - 1 is
 * the oldest. The caller frees it. */
enum { AUDIT_GENERATIONS = 3 };
char *audit_log_name(const char *scope, unsigned generation);

#endif
