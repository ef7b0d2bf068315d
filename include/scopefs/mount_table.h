/* What is mounted where (/proc/self/mountinfo, see proc_pid_mountinfo(5)). */
#ifndef SCOPEFS_MOUNT_TABLE_H
#define SCOPEFS_MOUNT_TABLE_H

#include "scopefs/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define VIEW_TYPE "fuse.scopefs"

struct mount_row {
    uint64_t id;
    unsigned major, minor;
    char *root;  /* within its file system */
    char *point; /* where it is mounted */
    char *type;
    char *source;
    char *options; /* of its file system, "rw,memory" */
    uid_t user;    /* of a FUSE mount: who may use it; else (uid_t)-1 */
    gid_t group;   /* likewise */
};

struct mount_table {
    struct mount_row *rows; /* in mount order: of two on one point, the later covers the earlier */
    size_t count;
};

#define cleanup_mount_table __attribute__((cleanup(mount_table_free)))

int mount_table_read(struct mount_table *table, struct error **error);

/* The same as another process sees it; `process` is its number. */
int mount_table_read_process(struct mount_table *table, const char *process, struct error **error);

void mount_table_free(struct mount_table *table);

/* The topmost mount at exactly this path, or NULL. */
const struct mount_row *mount_table_at(const struct mount_table *table, const char *point);

bool mount_row_is_view(const struct mount_row *row);

/* The path of an open directory within its own file system, by which two routes to one place are
 * the same: "MAJOR:MINOR/path". NULL with *error set; the caller frees it. */
char *mount_table_place(const struct mount_table *table, int fd, struct error **error);

#endif
