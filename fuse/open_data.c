#include "open_data.h"

#include "cache.h"
#include "object.h"
#include "resolve.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Who may not read a file may have written it. */
static int reopen(struct view *view, int path_fd, enum want want)
{
    int mode = want == WANT_CHANGE ? O_WRONLY : O_RDONLY;
    int fd = resolve_reopen(view, path_fd, mode | O_NONBLOCK);
    return fd == -EACCES && want == WANT_SEE ? resolve_reopen(view, path_fd, O_WRONLY | O_NONBLOCK)
                                             : fd;
}

/* By its name, so a file that the host put in its place is another one: then the kernel has to look
 * the name up again. A refusal is for open_data_check to tell. */
static int open_by_name(struct view *shared, struct node *node, enum want want)
{
    cleanup_move_lock struct view *view = view_share(shared);
    struct stat attributes;
    int refused = guard_check(atomic_load(&node->state), false, want);
    if (refused)
        return -refused;
    cleanup_fd int fd = object_open(view, node, &attributes);
    if (fd == -ESTALE)
        cache_forget_names(view);
    if (fd < 0)
        return fd_steal(&fd);
    return S_ISREG(attributes.st_mode) ? reopen(view, fd, want) : -ESTALE;
}

struct open_data open_data_find(struct view *view, fuse_ino_t id, const struct fuse_file_info *info,
                                enum want want)
{
    uint64_t handle_id = info ? info->fh : 0;
    struct open_data open = {
        .view = view,
        .fd = -EBADF,
        .by_handle = {view->handles, handle_id ? handle_get(view->handles, handle_id) : NULL},
        .by_id = {view->nodes, NULL},
        .own_fd = -1,
    };
    if (open.by_handle.handle) {
        open.node = open.by_handle.handle->node;
        open.fd = open.by_handle.handle->fd;
    } else if (view->files_unasked && !handle_id) {
        open.node = open.by_id.node = node_get(view->nodes, id);
        open.fd = open.node ? open_by_name(view, open.node, want) : -ESTALE;
        open.own_fd = open.fd >= 0 ? open.fd : -1;
    }
    return open;
}

int open_data_close(struct open_data *open)
{
    int failed = open->own_fd >= 0 && close(open->own_fd) < 0 ? errno : 0;
    open->own_fd = open->fd = -1;
    return failed;
}

void open_data_end(struct open_data *open)
{
    open_data_close(open);
    handle_hold_cleanup(&open->by_handle);
    node_hold_cleanup(&open->by_id);
}

int open_data_check(struct open_data *open, enum want want, const char *operation)
{
    int refused = open->node ? guard_node(open->view, open->node, want, operation) : -open->fd;
    if (refused || open->fd < 0)
        return refused ? refused : -open->fd;
    /* The kernel knows that what changes a file changes its attributes. */
    if (want == WANT_CHANGE)
        atomic_store(&open->node->told_ns, CACHE_TOLD_NOTHING);
    return 0;
}
