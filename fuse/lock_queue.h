/*
 * Requests that wait for a lock on the source. They wait in one thread of the mount and hold no
 * worker: the thread tries each again, soon after something was unlocked through this view, and in
 * growing steps for locks that the host or another view holds, of which nobody tells us. The thread
 * exists only while somebody waits.
 */
#ifndef SCOPEFS_FUSE_LOCK_QUEUE_H
#define SCOPEFS_FUSE_LOCK_QUEUE_H

#include "handle.h"
#include "view.h"

struct lock_queue;

struct lock_queue *lock_queue_new(void);
/* Ends every wait with EINTR. */
void lock_queue_free(struct lock_queue *queue);

/* Answers the request once flock(2) with `how` (LOCK_SH or LOCK_EX) has succeeded on the handle's
 * file or the kernel interrupted the request. Answers ENOLCK when too many wait. */
void lock_queue_wait(struct lock_queue *queue, fuse_req_t request, struct handle_table *handles,
                     uint64_t handle_id, int how);

/* Something may have been unlocked. */
void lock_queue_retry(struct lock_queue *queue);

#endif
