/* flock(2): the source's own lock of the handle's open file description, so that it excludes the
 * host, other views and other handles of this one alike. */
#include "operations.h"

#include "guard.h"
#include "handle.h"
#include "lock_queue.h"

#include <errno.h>
#include <sys/file.h>

void operation_flock(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info, int how)
{
    (void)id;
    struct view *view = view_of(request);
    cleanup_handle struct handle_hold open = {view->handles, handle_get(view->handles, info->fh)};
    if (!open.handle || open.handle->fd < 0) {
        fuse_reply_err(request, EBADF);
        return;
    }
    int failed = flock(open.handle->fd, how | LOCK_NB) < 0 ? errno : 0;
    if (failed == EWOULDBLOCK && !(how & LOCK_NB)) {
        lock_queue_wait(view->locks, request, view->handles, info->fh, how);
        return;
    }
    if (how & LOCK_UN)
        lock_queue_retry(view->locks);
    fuse_reply_err(request, failed);
}
