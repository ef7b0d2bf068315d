/*
 * The listing of a directory, taken in one go: the names that the rules let be seen. Offsets are
 * positions in the snapshot, so they tell nothing of what was left out; nor does the order, which
 * is the source's where nothing can be hidden and that of the inode numbers elsewhere.
 */
#ifndef SCOPEFS_FUSE_SNAPSHOT_H
#define SCOPEFS_FUSE_SNAPSHOT_H

#include "view.h"

#include <stdint.h>
#include <sys/stat.h>

struct snapshot_entry {
    uint64_t inode;
    mode_t type; /* S_IFMT part, 0 when the source does not say */
    const char *name;
};

struct snapshot {
    size_t count, room;
    struct snapshot_entry *entries;
    size_t used, size; /* of `names` */
    char *names;       /* entries point into it once the snapshot is complete */
};

/* Reads the directory behind `fd` (consumed), whose state is `state`. 0 or an errno; on success the
 * caller owns *snapshot. */
int snapshot_take(int fd, const struct state *state, struct snapshot **snapshot);
/* The memory it takes; 0 for NULL. */
size_t snapshot_bytes(const struct snapshot *snapshot);

void snapshot_free(struct snapshot *snapshot);

#endif
