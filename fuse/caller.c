#include "caller.h"

static _Thread_local struct caller current;

void caller_enter(fuse_req_t request)
{
    const struct fuse_ctx *context = fuse_req_ctx(request);
    current = (struct caller){.process = context->pid, .user = context->uid};
    atomic_fetch_add_explicit(&view_of(request)->counters.operations, 1, memory_order_relaxed);
}

struct caller caller_now(void)
{
    return current;
}
