/*
 * The snapshots of directories that somebody is reading, by directory. Keeping one spares reading
 * the directory again for each part of a long listing, and nothing depends on its being kept: an
 * offset means the same in any snapshot (snapshot.h). So there may be few, and none needs an end.
 */
#ifndef SCOPEFS_FUSE_LISTINGS_H
#define SCOPEFS_FUSE_LISTINGS_H

#include "snapshot.h"

#include <stdint.h>

struct listings;

/* NULL when memory is gone. */
struct listings *listings_new(void);
void listings_free(struct listings *listings);

/* The directory's snapshot, held until snapshot_put; NULL when none is kept. */
struct snapshot *listings_find(struct listings *listings, uint64_t node_id);

/* Keeps it for the directory, instead of the one that was kept before; not when all would
 * take too much memory. */
void listings_keep(struct listings *listings, uint64_t node_id, struct snapshot *snapshot);

/* The directory was read to the end. */
void listings_drop(struct listings *listings, uint64_t node_id);

#endif
