/*
 * The listing of a directory, taken in one go: the names that the rules let be seen, in the order
 * of their cookies. A cookie is made of the entry's own name alone. So neither offsets nor order
 * tell anything of what was left out, and whoever goes on from an offset, in whatever snapshot of
 * the directory, misses nothing that was there all the time and gets nothing twice.
 */
#ifndef SCOPEFS_FUSE_SNAPSHOT_H
#define SCOPEFS_FUSE_SNAPSHOT_H

#include "view.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>

struct snapshot_entry {
    off_t cookie; /* > 0; the offset to go on from after this entry */
    uint64_t inode;
    mode_t type; /* S_IFMT part, 0 when the source does not say */
    const char *name;
};

struct snapshot {
    atomic_uint holds;
    size_t count, room;
    struct snapshot_entry *entries;
    size_t used, size; /* of `names` */
    char *names;       /* entries point into it once the snapshot is complete */
};

/* Reads the directory that was opened as `fd`, from its start; its state is `state`. 0 or an errno;
 * on success the caller holds *snapshot. */
int snapshot_take(int fd, const struct state *state, struct snapshot **snapshot);

/* The memory it takes; 0 for NULL. */
size_t snapshot_bytes(const struct snapshot *snapshot);

struct snapshot *snapshot_hold(struct snapshot *snapshot);
void snapshot_put(struct snapshot *snapshot);

/* The position of the first entry after this offset; `count` when there is none. */
size_t snapshot_after(const struct snapshot *snapshot, off_t offset);

#endif
