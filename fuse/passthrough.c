#include "passthrough.h"

#include "cache.h"
#include "registrar.h"
#include "resolve.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LIBRARY_HAS_PASSTHROUGH (FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17))

enum { SLOTS = 256 };

/* To register a file costs as much as one request or two, and small files that are read again are
 * in the kernel's cache of the view anyway. */
enum { SMALL_FILE = 128 * 1024 };

/* A node that somebody has open, as the kernel has it at most. */
struct open_node {
    uint64_t node_id;
    int backing_id; /* 0: open through the view's cache */
    unsigned opens;
    struct open_node *next;
};

struct passthrough {
    const char *name; /* of the scope */
    bool required;
    bool counts_bytes; /* there is a quota */
    enum log_mode log;
    bool over_stacked;    /* the source is on overlayfs or the like */
    pthread_mutex_t lock; /* guards all below; no other lock is taken while it is held */
    int socket_fd;        /* of the registrar; -1: not available */
    const char *state;
    struct open_node *slots[SLOTS];
};

/* It cannot be had: `state` is the word for it, `reason` what people are told. */
static int give_up(struct passthrough *passthrough, const char *state, const char *reason,
                   struct error **error)
{
    passthrough->state = state;
    fd_close(&passthrough->socket_fd);
    if (passthrough->required)
        return error_set(error, 0, "passthrough = yes, but %s", reason);
    log_info("%s: the kernel asks the server for all content, because %s", passthrough->name,
             reason);
    return 0;
}

static int look_at_scope(struct passthrough *passthrough, const struct scope *scope,
                         struct error **error)
{
    if (!LIBRARY_HAS_PASSTHROUGH)
        return give_up(passthrough, "libfuse", "scopefs was built with a libfuse before 3.17",
                       error);
    if (passthrough->log == LOG_ALL)
        return give_up(passthrough, "log", "log = all records every access", error);
    if (scope->exclusive)
        return give_up(passthrough, "exclusive", "cache = exclusive opens files without a word",
                       error);
    if (geteuid() != 0)
        return give_up(passthrough, "unprivileged", "only root can have it", error);
    passthrough->state = "on";
    return 0;
}

int passthrough_new(const struct scope *scope, struct passthrough **made, struct error **error)
{
    *made = NULL;
    if (scope->passthrough == PASSTHROUGH_NO)
        return 0;
    struct passthrough *passthrough = xcalloc(1, sizeof(*passthrough));
    passthrough->name = scope->name;
    passthrough->required = scope->passthrough == PASSTHROUGH_YES;
    passthrough->counts_bytes = scope->quota != 0;
    passthrough->log = scope->log;
    passthrough->socket_fd = -1;
    pthread_mutex_init(&passthrough->lock, NULL);
    *made = passthrough;
    return look_at_scope(passthrough, scope, error);
}

void passthrough_free(struct passthrough *passthrough)
{
    if (!passthrough)
        return;
    fd_close(&passthrough->socket_fd);
    pthread_mutex_destroy(&passthrough->lock);
    free(passthrough);
}

int passthrough_start(struct view *view, struct error **error)
{
    struct passthrough *passthrough = view->passthrough;
    struct statfs found;
    cleanup_error struct error *failed = NULL;
    if (!passthrough || strcmp(passthrough->state, "on") != 0)
        return 0;
    passthrough->over_stacked =
        fstatfs(view->root_fd, &found) == 0 &&
        (found.f_type == OVERLAYFS_SUPER_MAGIC || found.f_type == FUSE_SUPER_MAGIC);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for the registrar */
    passthrough->socket_fd =
        registrar_start(fuse_session_fd(view->session), view->root_fd, view->submounts, &failed);
    return passthrough->socket_fd < 0 ? give_up(passthrough, "refused", failed->message, error) : 0;
}

int passthrough_negotiate(struct view *view, struct fuse_conn_info *connection,
                          struct error **error)
{
    struct passthrough *passthrough = view->passthrough;
    if (!passthrough || passthrough->socket_fd < 0)
        return 0;
#if LIBRARY_HAS_PASSTHROUGH
    if (connection->capable & FUSE_CAP_PASSTHROUGH) {
        connection->want |= FUSE_CAP_PASSTHROUGH;
        connection->max_backing_stack_depth = passthrough->over_stacked;
        return 0;
    }
#else
    (void)connection;
#endif
    return give_up(passthrough, "kernel",
                   "the kernel has no passthrough; Linux 6.9 and later have it", error);
}

const char *passthrough_state(const struct view *view)
{
    return view->passthrough ? view->passthrough->state : "off";
}

/* --- Open nodes; the lock is held --- */

static struct open_node **find(struct passthrough *passthrough, uint64_t node_id)
{
    struct open_node **at = &passthrough->slots[node_id % SLOTS];
    while (*at && (*at)->node_id != node_id)
        at = &(*at)->next;
    return at;
}

static bool count_open(struct open_node **at, uint64_t node_id, int backing_id)
{
    if (!*at) {
        *at = calloc(1, sizeof(**at));
        if (!*at)
            return false;
        (*at)->node_id = node_id;
        (*at)->backing_id = backing_id;
    }
    (*at)->opens++;
    return true;
}

static void count_close(struct passthrough *passthrough, uint64_t node_id)
{
    struct open_node **at = find(passthrough, node_id), *node = *at;
    if (!node || --node->opens > 0)
        return;
    if (node->backing_id && passthrough->socket_fd >= 0)
        registrar_close(passthrough->socket_fd, node->backing_id);
    *at = node->next;
    free(node);
}

/* What goes wrong with one file may be that file's: it is on a file system that cannot be stacked
 * upon, or has left the source. Without the right to register none works. */
static int registered(struct view *view, int fd)
{
    struct passthrough *passthrough = view->passthrough;
    if (passthrough->socket_fd < 0)
        return 0;
    int id = registrar_open(passthrough->socket_fd, fd);
    if (id == -EPERM || id == -EPIPE) {
        passthrough->state = "refused";
        fd_close(&passthrough->socket_fd);
        log_warning("%s: the kernel asks the server for all content from now on, because it %s",
                    view->name,
                    id == -EPERM ? "takes backing files from the host's root alone"
                                 : "cannot be told of backing files any more");
    }
    return id > 0 ? id : 0;
}

/* --- Opens --- */

/* Whether each write or read has to come to the server: to be counted or recorded; because O_DIRECT
 * wants buffers that fit the source's file system; because O_APPEND may be taken off again later,
 * which the kernel's own open of the source would not notice. */
static bool has_to_ask(const struct passthrough *passthrough, const struct handle *handle,
                       int flags)
{
    bool is_noted = passthrough->counts_bytes || passthrough->log == LOG_WRITES;
    return (flags & (O_APPEND | O_DIRECT)) || (handle->can_write && is_noted);
}

/* The kernel opens the source's file with the flags of the view's: what that file system refuses
 * would be EIO, without a reason. */
static bool takes_flags(struct view *view, int fd, int flags)
{
    if (!(flags & O_DIRECT))
        return true;
    cleanup_fd int probe = resolve_reopen(view, fd, O_RDONLY | O_DIRECT | O_NONBLOCK);
    return probe >= 0;
}

static void set_backing(struct fuse_file_info *info, int backing_id)
{
#if LIBRARY_HAS_PASSTHROUGH
    info->backing_id = backing_id;
#else
    (void)backing_id;
#endif
    info->keep_cache = 0;
}

/* A mapping of the source's file can outlive the open file that it was made by. So a file that was
 * open for writing in this way is never again read through the view's cache. */
static int choose(struct view *view, struct handle *handle, off_t size, struct fuse_file_info *info)
{
    struct passthrough *passthrough = view->passthrough;
    struct node *node = handle->node;
    struct open_node **at = find(passthrough, node->id);
    int id = *at ? (*at)->backing_id : 0;
    bool asks = has_to_ask(passthrough, handle, info->flags);
    bool is_worth_it = !asks && (handle->can_write || size >= SMALL_FILE);
    if (!*at && (is_worth_it || atomic_load(&node->was_passed)))
        id = registered(view, handle->fd);
    if (!id && info->direct_io) /* does not count: neither way for the kernel */
        return 0;
    if (!count_open(at, node->id, id)) {
        if (id)
            registrar_close(passthrough->socket_fd, id);
        return ENOMEM;
    }
    if (id && !takes_flags(view, handle->fd, info->flags)) {
        count_close(passthrough, node->id);
        return EINVAL;
    }
    atomic_store(&handle->is_counted, true);
    if (!id)
        return 0;
    if (handle->can_write)
        atomic_store(&node->was_passed, true);
    set_backing(info, id);
    info->direct_io |= asks;
    return 0;
}

int passthrough_open(struct view *view, uint64_t handle_id, const struct stat *attributes,
                     struct fuse_file_info *info)
{
    if (!view->passthrough)
        return 0;
    cleanup_handle struct handle_hold open = {view->handles, handle_get(view->handles, handle_id)};
    if (!open.handle)
        return ESTALE;
    pthread_mutex_lock(&view->passthrough->lock);
    int failed = choose(view, open.handle, attributes->st_size, info);
    pthread_mutex_unlock(&view->passthrough->lock);
    return failed;
}

/* What was written through a mapping, the kernel has not noticed. */
void passthrough_release(struct view *view, uint64_t handle_id)
{
    if (!view->passthrough)
        return;
    cleanup_handle struct handle_hold open = {view->handles, handle_get(view->handles, handle_id)};
    if (!open.handle || !atomic_load(&open.handle->is_counted))
        return;
    struct node *node = open.handle->node;
    if (open.handle->can_write && atomic_load(&node->was_passed))
        cache_forget_attributes(view, node->id);
    pthread_mutex_lock(&view->passthrough->lock);
    count_close(view->passthrough, node->id);
    pthread_mutex_unlock(&view->passthrough->lock);
}
