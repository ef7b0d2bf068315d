/*
 * Requests that wait for a lock on the source. They wait in one thread of the mount and hold no
 * worker: the thread tries each again, soon after something was unlocked through this view, and in
 * growing steps for locks that the host or another view holds, of which nobody tells us. The thread
 * exists only while somebody waits.
 */
#ifndef SCOPEFS_FUSE_LOCK_QUEUE_H
#define SCOPEFS_FUSE_LOCK_QUEUE_H

#include "view.h"

struct lock_queue;

struct lock_queue *lock_queue_new(void);
size_t lock_queue_count(struct lock_queue *queue);

/* Ends every wait with EINTR. */
void lock_queue_free(struct lock_queue *queue);

int64_t lock_queue_now(void); /* CLOCK_MONOTONIC, nanoseconds */

/* A lock that somebody waits for. */
struct lock_attempt {
    int (*attempt)(void *data);  /* 0 or an errno; EAGAIN: held by somebody else, try again later */
    void (*granted)(void *data); /* before the answer 0, free to wait for the kernel; or NULL */
    void (*release)(void *data);
    void *data;       /* owned, given to `release` in the end */
    int64_t until_ns; /* then EAGAIN is the answer; 0: never */
};

/* Answers the request once the attempt has an answer or the kernel interrupted the request. Answers
 * ENOLCK when too many wait. */
void lock_queue_wait(struct lock_queue *queue, fuse_req_t request,
                     const struct lock_attempt *attempt);

/* Something may have been unlocked. */
void lock_queue_retry(struct lock_queue *queue);

#endif
