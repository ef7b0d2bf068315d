/*
 * The run file of a mounted view: RUNTIME/.run/MAJOR:MINOR, named by the mount's device number,
 * which no other mount has. Its supervisor holds a lock on it for as long as it lives, so that a
 * file without a lock is a dead daemon's, and waiting for the lock is waiting for the daemon's end.
 */
#ifndef SCOPEFS_FUSE_RUN_FILE_H
#define SCOPEFS_FUSE_RUN_FILE_H

#include "scopefs/error.h"
#include "scopefs/mount_table.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* RUNTIME/.run, made if needed. A descriptor, or -1 with *error set. */
int run_folder_open(struct error **error);

/* "MAJOR:MINOR"; the caller frees it. */
char *run_file_name(const struct mount_row *row);

/* Writes the file of the view that is mounted at `point` and takes its lock. Returns the
 * descriptor, to be kept open for the supervisor's life, and its name (the caller frees it), or -1
 * with *error. */
int run_file_create(int folder_fd, const char *point, const char *config_file, char **name,
                    struct error **error);

/* Removes the supervisor's own run file and socket, and closes the file. */
void run_file_remove(int fd);

/* Whether the name still leads to the open file: it was perhaps removed before it was locked. */
bool run_file_is_at(int folder_fd, const char *name, int fd);

/* Removes an open file by its name. */
void run_file_unlink(int fd);
/* How many views of the caller are mounted, dead ones included. */
size_t run_file_count(void);

/* What the file of a view says. */
struct run_record {
    char *config; /* "" when there was none */
    pid_t supervisor;
    time_t started;
    bool is_locked; /* the supervisor lives */
};

/* Reads the file of that name. False when there is none that could be read. On success the caller
 * owns *record (run_record_free). */
bool run_record_read(int folder_fd, const char *name, struct run_record *record);
void run_record_free(struct run_record *record);

/* Whether a view with this run file is mounted. */
bool run_file_is_mounted(const struct mount_table *table, const char *name);

/* Waits until the supervisor of a mount that was there has ended, at most so many milliseconds.
 * False when it still runs. A mount without a run file counts as ended, and so does one whose
 * number the kernel has given to another, by whose process it is known. */
bool run_file_wait(const struct mount_row *row, pid_t supervisor, unsigned milliseconds);

/* Opens RUNTIME/.SCOPE.log for appending: where a daemon in the background writes. -1 with *error.
 */
int run_file_open_log(const char *scope_name, struct error **error);

#endif
