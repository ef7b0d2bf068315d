#include "pool.h"

#include "scopefs/mem.h"

#include <pthread.h>
#include <stdbool.h>

/* jansson recurses 2,048 levels deep at most. */
#define STACK_SIZE (1024U * 1024U)

struct item {
    struct item *next;
    void *work;
};

struct pool {
    pool_work *work;
    size_t max_threads;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t changed;
    struct item *first, **end;
    size_t threads, idle, queued;
    bool is_ending;
};

static void *take(struct pool *pool)
{
    struct item *item = pool->first;
    void *work = item->work;
    pool->first = item->next;
    if (!pool->first)
        pool->end = &pool->first;
    pool->queued--;
    free(item);
    return work;
}

static void *run(void *context)
{
    struct pool *pool = context;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->first && !pool->is_ending) {
            pool->idle++;
            pthread_cond_wait(&pool->changed, &pool->lock);
            pool->idle--;
        }
        if (!pool->first)
            break;
        void *work = take(pool);
        pthread_mutex_unlock(&pool->lock);
        pool->work(work);
        pthread_mutex_lock(&pool->lock);
    }
    pool->threads--;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct pool *pool_new(size_t max_threads, pool_work *work)
{
    struct pool *pool = xcalloc(1, sizeof(*pool));
    pool->work = work;
    pool->max_threads = max_threads;
    pool->end = &pool->first;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    return pool;
}

/* Under the lock. False when there is no thread at all. */
static bool have_thread(struct pool *pool)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (pool->queued <= pool->idle || pool->threads >= pool->max_threads)
        return pool->threads > 0;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (pthread_create(&thread, &attributes, run, pool) == 0)
        pool->threads++;
    pthread_attr_destroy(&attributes);
    return pool->threads > 0;
}

void pool_add(struct pool *pool, void *work)
{
    struct item *item = xcalloc(1, sizeof(*item));
    item->work = work;
    pthread_mutex_lock(&pool->lock);
    *pool->end = item;
    pool->end = &item->next;
    pool->queued++;
    bool is_taken = have_thread(pool);
    void *own = is_taken ? NULL : take(pool);
    pthread_cond_signal(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    if (own)
        pool->work(own);
}

void pool_free(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    pthread_cond_broadcast(&pool->changed);
    while (pool->threads)
        pthread_cond_wait(&pool->changed, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->changed);
    free(pool);
}
