/*
 * Locks are the source's own, so that they exclude the host, other views and other holders in this
 * one alike. flock(2) belongs to the handle's open file description; record locks to their owner
 * (see lock_owner.h).
 */
#include "operations.h"

#include "cache.h"
#include "guard.h"
#include "handle.h"
#include "lock_owner.h"
#include "lock_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

/* Whether a lock that somebody else has is worth waiting for, and until when. A request that does
 * not want to wait waits all the same while a file that was closed is being let go: the caller may
 * know that who had the lock has closed the file, or is dead. */
static bool may_wait(struct view *view, const struct node *node, bool wants_to, int64_t *until_ns)
{
    *until_ns = wants_to ? 0 : handle_closing_until(view->handles, node);
    return wants_to || *until_ns > lock_queue_now();
}

/* Answers after the first attempt, or leaves that to the queue: there a lock is waited for, and
 * there it is granted when that means to wait for the kernel. The attempt's data are consumed. */
static void answer(fuse_req_t request, struct lock_attempt *attempt, const struct node *node,
                   int failed, bool wants_to_wait)
{
    struct view *view = view_of(request);
    bool waits = failed == EAGAIN && may_wait(view, node, wants_to_wait, &attempt->until_ns);
    /* Nothing is being let go: either it never was, or it has just been. */
    if (failed == EAGAIN && !waits)
        failed = attempt->attempt(attempt->data);
    bool granted = failed == 0 && attempt->granted;
    if (waits || (granted && !view->exact_times)) {
        lock_queue_wait(view->locks, request, attempt);
        return;
    }
    if (granted)
        attempt->granted(attempt->data);
    attempt->release(attempt->data);
    if (failed == 0 && !granted)
        lock_queue_retry(view->locks);
    fuse_reply_err(request, failed);
}

/* To take a lock, or to hear of one, needs what reading does; giving it back needs nothing. The
 * caller holds rules_lock. */
static int guard_lock(struct view *view, const struct handle *handle, bool gives_back,
                      const char *operation)
{
    if (!handle)
        return EBADF;
    return gives_back ? 0 : guard_node(view, handle->node, WANT_READ, operation);
}

struct flock_wait {
    struct view *view;
    struct handle_hold open;
    int how;
};

static int try_flock(void *data)
{
    const struct flock_wait *wait = data;
    return flock(wait->open.handle->fd, wait->how | LOCK_NB) < 0 ? errno : 0;
}

static void flock_granted(void *data)
{
    const struct flock_wait *wait = data;
    cache_take_lock(wait->view, wait->open.handle->node, wait->open.handle->fd);
}

static void end_flock(void *data)
{
    struct flock_wait *wait = data;
    handle_hold_cleanup(&wait->open);
    free(wait);
}

/* NULL with errno set. */
static struct flock_wait *begin_flock(struct view *shared, const struct fuse_file_info *info,
                                      int how)
{
    cleanup_rules_lock struct view *view = view_share_rules(shared);
    struct flock_wait *wait = calloc(1, sizeof(*wait));
    if (!wait)
        return NULL;
    wait->view = view;
    wait->open = (struct handle_hold){view->handles, handle_get(view->handles, info->fh)};
    wait->how = how & ~LOCK_NB;
    int refused = guard_lock(view, wait->open.handle, how & LOCK_UN, "flock");
    if (!refused)
        return wait;
    end_flock(wait);
    errno = refused;
    return NULL;
}

void operation_flock(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info, int how)
{
    (void)id;
    struct view *view = view_of(request);
    struct flock_wait *wait = begin_flock(view, info, how);
    if (!wait) {
        fuse_reply_err(request, errno);
        return;
    }
    struct handle *handle = wait->open.handle;
    atomic_store(&handle->locked, true);
    struct lock_attempt attempt = {
        .attempt = try_flock,
        .granted = how & LOCK_UN ? NULL : flock_granted,
        .release = end_flock,
        .data = wait,
    };
    answer(request, &attempt, handle->node, try_flock(wait), !(how & LOCK_NB));
}

struct record_wait {
    struct view *view;
    struct handle_hold open;
    struct lock_owner *holder;
    struct flock lock;
};

static int try_record(void *data)
{
    struct record_wait *wait = data;
    struct flock lock = wait->lock;
    if (fcntl(lock_owner_fd(wait->holder), F_OFD_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES ? EAGAIN : errno;
}

static void record_granted(void *data)
{
    const struct record_wait *wait = data;
    cache_take_lock(wait->view, wait->open.handle->node, wait->open.handle->fd);
}

static void end_record(void *data)
{
    struct record_wait *wait = data;
    if (wait->holder)
        lock_owner_put(wait->view->lock_owners, wait->holder);
    handle_hold_cleanup(&wait->open);
    free(wait);
}

/* The holder behind a request and the lock in the form that F_OFD_* wants: l_pid is 0. NULL with
 * errno set. */
static struct record_wait *begin_record(struct view *shared, const struct fuse_file_info *info,
                                        const struct flock *lock)
{
    cleanup_rules_lock struct view *view = view_share_rules(shared);
    struct record_wait *wait = calloc(1, sizeof(*wait));
    if (!wait)
        return NULL;
    wait->view = view;
    wait->lock = *lock;
    wait->lock.l_pid = 0;
    wait->open = (struct handle_hold){view->handles, handle_get(view->handles, info->fh)};
    const struct handle *handle = wait->open.handle;
    errno = guard_lock(view, handle, lock->l_type == F_UNLCK, "lock");
    if (errno == 0)
        wait->holder = lock_owner_get(view->lock_owners, view, handle, info->lock_owner);
    if (wait->holder)
        return wait;
    int failed = errno;
    end_record(wait);
    errno = failed;
    return NULL;
}

void operation_setlk(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info,
                     struct flock *lock, int sleep)
{
    (void)id;
    struct view *view = view_of(request);
    struct record_wait *wait = begin_record(view, info, lock);
    if (!wait) {
        fuse_reply_err(request, errno);
        return;
    }
    struct handle *handle = wait->open.handle;
    atomic_store(&handle->locked, true);
    struct lock_attempt attempt = {
        .attempt = try_record,
        .granted = lock->l_type == F_UNLCK ? NULL : record_granted,
        .release = end_record,
        .data = wait,
    };
    answer(request, &attempt, handle->node, try_record(wait), sleep);
}

/* The process that holds a conflicting lock is not told: it is the daemon's description that has
 * it, or a process of the host that is none of the agent's business. */
void operation_getlk(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info,
                     struct flock *lock)
{
    (void)id;
    struct view *view = view_of(request);
    struct record_wait *wait = begin_record(view, info, lock);
    int failed = wait ? 0 : errno;
    if (wait && fcntl(lock_owner_fd(wait->holder), F_OFD_GETLK, &wait->lock) < 0)
        failed = errno;
    struct flock found = wait ? wait->lock : *lock;
    found.l_pid = 0;
    if (wait)
        end_record(wait);
    if (failed)
        fuse_reply_err(request, failed);
    else
        fuse_reply_lock(request, &found);
}
