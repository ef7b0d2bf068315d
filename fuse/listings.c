#include "listings.h"

#include <pthread.h>
#include <stdlib.h>

enum { SLOTS = 64 };

/* The memory that the readers of one view can take. A directory of a million files fits. */
#define BYTES_AT_MOST ((size_t)128 * 1024 * 1024)

struct listings {
    pthread_mutex_t lock;
    size_t bytes;
    struct {
        uint64_t node_id;
        struct snapshot *snapshot;
    } slots[SLOTS];
};

struct listings *listings_new(void)
{
    struct listings *listings = calloc(1, sizeof(*listings));
    if (listings)
        pthread_mutex_init(&listings->lock, NULL);
    return listings;
}

void listings_free(struct listings *listings)
{
    if (!listings)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        snapshot_put(listings->slots[i].snapshot);
    pthread_mutex_destroy(&listings->lock);
    free(listings);
}

struct snapshot *listings_find(struct listings *listings, uint64_t node_id)
{
    struct snapshot *found = NULL;
    size_t slot = node_id % SLOTS;
    pthread_mutex_lock(&listings->lock);
    if (listings->slots[slot].snapshot && listings->slots[slot].node_id == node_id)
        found = snapshot_hold(listings->slots[slot].snapshot);
    pthread_mutex_unlock(&listings->lock);
    return found;
}

/* Takes over `snapshot`; NULL empties the slot if it is the directory's. */
static void put_in_slot(struct listings *listings, uint64_t node_id, struct snapshot *snapshot)
{
    size_t slot = node_id % SLOTS;
    pthread_mutex_lock(&listings->lock);
    struct snapshot *gone = listings->slots[slot].snapshot;
    size_t bytes = listings->bytes - snapshot_bytes(gone) + snapshot_bytes(snapshot);
    bool fits = bytes <= BYTES_AT_MOST;
    bool changes = snapshot ? fits : listings->slots[slot].node_id == node_id;
    if (changes) {
        listings->bytes = bytes;
        listings->slots[slot].snapshot = snapshot;
        listings->slots[slot].node_id = node_id;
    }
    pthread_mutex_unlock(&listings->lock);
    snapshot_put(changes ? gone : snapshot);
}

void listings_keep(struct listings *listings, uint64_t node_id, struct snapshot *snapshot)
{
    put_in_slot(listings, node_id, snapshot_hold(snapshot));
}

void listings_drop(struct listings *listings, uint64_t node_id)
{
    put_in_slot(listings, node_id, NULL);
}
