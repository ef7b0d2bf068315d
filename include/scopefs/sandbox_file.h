/*
 * The sandboxes that stay for many commands, those of sessions: RUNTIME/.sandboxes/PID, named by
 * the process outside that answers for it. That process holds a lock on the file for as long as it
 * lives, so that a file without a lock is a dead one's. Lines of "KEY = VALUE":
 *
 *     scope = NAME
 *     view = MAJOR:MINOR     of the mount that is its workspace
 *     started = SECONDS      of the epoch
 *     session = NAME
 */
#ifndef SCOPEFS_SANDBOX_FILE_H
#define SCOPEFS_SANDBOX_FILE_H

#include "scopefs/error.h"

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct sandbox_record {
    pid_t process;
    char *scope;
    unsigned view_major, view_minor;
    time_t started;
    char *session; /* its name */
};

/* Writes the calling process's file; `record->process` and `started` are not looked at. Returns the
 * descriptor that holds the lock, or -1 with *error set. */
int sandbox_file_create(const struct sandbox_record *record, struct error **error);

/* Removes the calling process's file and closes the descriptor; -1 does nothing. */
void sandbox_file_remove(int *fd);

struct sandbox_list {
    struct sandbox_record *items;
    size_t count;
};

#define cleanup_sandbox_list __attribute__((cleanup(sandbox_list_free)))

/* The sandboxes of living processes; files of dead ones are removed. No folder is an empty list. 0,
 * or -1 with *error set. */
int sandbox_list_read(struct sandbox_list *list, struct error **error);
void sandbox_list_free(struct sandbox_list *list);

#endif
