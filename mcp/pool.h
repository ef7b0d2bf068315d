/* Threads that run tool calls. They are started when they are needed; where no more can be started,
 * those that are there do the work, or the caller. */
#ifndef SCOPEFS_MCP_POOL_H
#define SCOPEFS_MCP_POOL_H

#include <stddef.h>

struct pool;

typedef void pool_work(void *item);

struct pool *pool_new(size_t max_threads, pool_work *work);

void pool_add(struct pool *pool, void *item);

/* Waits for all that was added. Nothing may be added any more. */
void pool_free(struct pool *pool);

#endif
