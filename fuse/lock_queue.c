#include "lock_queue.h"

#include "scopefs/log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum {
    WAITERS_AT_MOST = 4096,
    FIRST_PAUSE_NS = 1000000,
    LONGEST_PAUSE_NS = 20000000,
};

struct waiter {
    struct waiter *next;
    fuse_req_t request;
    struct lock_attempt lock;
    int answer; /* once it is ready: 0 or an errno */
    bool interrupted;
    bool registered; /* libfuse knows whom to tell of an interrupt; not answered before */
};

struct lock_queue {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct waiter *waiters;
    size_t count;
    bool running, ending, retry;
};

struct lock_queue *lock_queue_new(void)
{
    struct lock_queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&queue->lock, NULL);
    return queue;
}

size_t lock_queue_count(struct lock_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}

int64_t lock_queue_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* 0 or the errno to answer with; -1 to wait on. The queue's lock is held. */
static int try_lock(const struct lock_queue *queue, const struct waiter *waiter)
{
    if (!waiter->registered)
        return -1;
    if (waiter->interrupted || queue->ending)
        return EINTR;
    int answer = waiter->lock.attempt(waiter->lock.data);
    bool wait_on = waiter->lock.until_ns == 0 || lock_queue_now() < waiter->lock.until_ns;
    return answer == EAGAIN && wait_on ? -1 : answer;
}

/* Takes the waiters that need not wait any more out of the queue. */
static struct waiter *take_ready(struct lock_queue *queue)
{
    struct waiter *ready = NULL;
    for (struct waiter **at = &queue->waiters; *at;) {
        struct waiter *waiter = *at;
        int answer = try_lock(queue, waiter);
        if (answer < 0) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->next = ready;
        ready = waiter;
        waiter->answer = answer;
        queue->count--;
    }
    return ready;
}

/* Called without the queue's lock: answering can run the interrupt function. */
static void answer_all(struct waiter *ready)
{
    while (ready) {
        struct waiter *waiter = ready;
        ready = waiter->next;
        fuse_req_interrupt_func(waiter->request, NULL, NULL);
        if (waiter->answer == 0 && waiter->lock.granted)
            waiter->lock.granted(waiter->lock.data);
        fuse_reply_err(waiter->request, waiter->answer);
        waiter->lock.release(waiter->lock.data);
        free(waiter);
    }
}

static void pause_until_change(struct lock_queue *queue, long pause_ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += pause_ns;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    if (!queue->retry)
        pthread_cond_timedwait(&queue->changed, &queue->lock, &until);
}

static void *wait_loop(void *argument)
{
    struct lock_queue *queue = argument;
    long pause_ns = FIRST_PAUSE_NS;
    pthread_mutex_lock(&queue->lock);
    while (queue->waiters) {
        bool retried = queue->retry;
        queue->retry = false;
        struct waiter *ready = take_ready(queue);
        if (ready) {
            pthread_mutex_unlock(&queue->lock);
            answer_all(ready);
            pthread_mutex_lock(&queue->lock);
        }
        if (ready || retried)
            pause_ns = FIRST_PAUSE_NS;
        if (!queue->waiters)
            break;
        if (!ready)
            pause_until_change(queue, pause_ns);
        if (pause_ns < LONGEST_PAUSE_NS)
            pause_ns *= 2;
    }
    queue->running = false;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* The lock is held. False when no thread can be made. */
static bool ensure_thread(struct lock_queue *queue)
{
    if (queue->running)
        return true;
    sigset_t all, before;
    pthread_t thread;
    pthread_attr_t detached;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    queue->running = pthread_create(&thread, &detached, wait_loop, queue) == 0;
    pthread_attr_destroy(&detached);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return queue->running;
}

/* Called by libfuse, from the thread that read the interrupt. */
static void interrupt(fuse_req_t request, void *data)
{
    struct lock_queue *queue = data;
    pthread_mutex_lock(&queue->lock);
    for (struct waiter *waiter = queue->waiters; waiter; waiter = waiter->next)
        if (waiter->request == request)
            waiter->interrupted = queue->retry = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/* Adds it at the end: who came first tries first. */
static bool enqueue(struct lock_queue *queue, struct waiter *waiter)
{
    pthread_mutex_lock(&queue->lock);
    bool queued = queue->count < WAITERS_AT_MOST && !queue->ending;
    if (queued) {
        struct waiter **at = &queue->waiters;
        while (*at)
            at = &(*at)->next;
        *at = waiter;
        queued = ensure_thread(queue);
        if (queued)
            queue->count++;
        else
            *at = NULL;
    }
    pthread_mutex_unlock(&queue->lock);
    return queued;
}

/* The request stays ours until the waiter is registered, so that libfuse can be told of it without
 * the queue's lock, which the interrupt function takes. */
static void set_registered(struct lock_queue *queue, struct waiter *waiter)
{
    fuse_req_interrupt_func(waiter->request, interrupt, queue);
    pthread_mutex_lock(&queue->lock);
    waiter->registered = true;
    queue->retry = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void lock_queue_wait(struct lock_queue *queue, fuse_req_t request,
                     const struct lock_attempt *attempt)
{
    struct waiter *waiter = calloc(1, sizeof(*waiter));
    if (waiter) {
        *waiter = (struct waiter){.request = request, .lock = *attempt};
        if (enqueue(queue, waiter)) {
            set_registered(queue, waiter);
            return;
        }
    }
    free(waiter);
    attempt->release(attempt->data);
    fuse_reply_err(request, ENOLCK);
}

void lock_queue_retry(struct lock_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->waiters) {
        queue->retry = true;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
}

void lock_queue_free(struct lock_queue *queue)
{
    if (!queue)
        return;
    pthread_mutex_lock(&queue->lock);
    queue->ending = queue->retry = true;
    pthread_cond_broadcast(&queue->changed);
    while (queue->running)
        pthread_cond_wait(&queue->changed, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}
