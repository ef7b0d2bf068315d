#include "watch.h"

#include "attributes.h"
#include "cache.h"
#include "node.h"
#include "resolve.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    EVENTS = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_ATTRIB,
    NAME_EVENTS = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO,
    SLOTS = 4096,
};

/* From a watch descriptor to the directory's node. */
struct watched {
    struct watched *next;
    int descriptor;
    uint64_t node_id;
};

struct watch {
    int fd;
    pthread_mutex_t lock; /* guards the slots */
    struct watched *slots[SLOTS];
    atomic_bool full_told; /* the log has it that there are too few watches */
};

static bool sees_all_changes(int fd)
{
    static const unsigned long blind[] = {
        NFS_SUPER_MAGIC,       SMB_SUPER_MAGIC, 0xFF534D42 /* CIFS */,
        0xFE534D42 /* SMB2 */, V9FS_MAGIC,      FUSE_SUPER_MAGIC,
        CODA_SUPER_MAGIC,      AFS_SUPER_MAGIC, CEPH_SUPER_MAGIC};
    struct statfs found;
    if (fstatfs(fd, &found) < 0)
        return false;
    for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++)
        if ((unsigned long)found.f_type == blind[i])
            return false;
    return true;
}

struct watch *watch_new(const struct view *view, struct error **error)
{
    if (!sees_all_changes(view->root_fd)) {
        error_set(error, 0, "the source's file system does not tell of all changes");
        return NULL;
    }
    cleanup_fd int fd = inotify_init1(IN_CLOEXEC);
    struct watch *watch = fd < 0 ? NULL : calloc(1, sizeof(*watch));
    if (!watch) {
        error_set(error, errno,
                  "cannot get an inotify instance; see inotify(7), max_user_instances");
        return NULL;
    }
    pthread_mutex_init(&watch->lock, NULL);
    watch->fd = fd_steal(&fd);
    return watch;
}

static struct watched **slot_of(struct watch *watch, int descriptor)
{
    return &watch->slots[(unsigned)descriptor % SLOTS];
}

static struct watched *find(struct watch *watch, int descriptor)
{
    struct watched *watched = *slot_of(watch, descriptor);
    while (watched && watched->descriptor != descriptor)
        watched = watched->next;
    return watched;
}

/* A directory that was renamed or replaced may have been watched for another node: then this one
 * takes it over. False without memory. */
static bool remember(struct watch *watch, int descriptor, uint64_t node_id)
{
    pthread_mutex_lock(&watch->lock);
    struct watched *watched = find(watch, descriptor);
    if (!watched && (watched = calloc(1, sizeof(*watched)))) {
        struct watched **slot = slot_of(watch, descriptor);
        watched->descriptor = descriptor;
        watched->next = *slot;
        *slot = watched;
    }
    if (watched)
        watched->node_id = node_id;
    pthread_mutex_unlock(&watch->lock);
    return watched;
}

static uint64_t node_of(struct watch *watch, int descriptor)
{
    pthread_mutex_lock(&watch->lock);
    const struct watched *watched = find(watch, descriptor);
    uint64_t id = watched ? watched->node_id : 0;
    pthread_mutex_unlock(&watch->lock);
    return id;
}

static void forget(struct watch *watch, int descriptor)
{
    pthread_mutex_lock(&watch->lock);
    struct watched **at = slot_of(watch, descriptor);
    while (*at && (*at)->descriptor != descriptor)
        at = &(*at)->next;
    struct watched *gone = *at;
    if (gone)
        *at = gone->next;
    pthread_mutex_unlock(&watch->lock);
    free(gone);
}

static void tell_full(struct view *view)
{
    if (!atomic_exchange(&view->watch->full_told, true))
        log_warning("%s: not all directories can be watched (%s); those are cached for a second "
                    "only",
                    view->name, strerrorname_np(errno));
}

void watch_directory(struct view *view, struct node *directory)
{
    if (!view->watch || atomic_exchange(&directory->watch_tried, true))
        return;
    cleanup_fd int fd = resolve_directory(view, directory);
    if (fd < 0)
        return;
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int descriptor = inotify_add_watch(view->watch->fd, path, EVENTS | IN_ONLYDIR | IN_EXCL_UNLINK);
    if (descriptor < 0 || !remember(view->watch, descriptor, directory->id)) {
        tell_full(view);
        return;
    }
    atomic_store(&directory->watched, true);
}

/* What one change means for the kernel's caches. Found with the view's locks, carried out without:
 * the kernel waits for requests on the directory first, and those may wait for our locks. */
struct stale {
    uint64_t directory_id, child_id; /* 0: nothing of it is stale */
    bool name;                       /* what the name leads to, if anything, is another thing now */
};

static struct stale judge_name(struct view *view, struct node *directory, const char *name)
{
    struct stale stale = {0};
    struct stat attributes;
    struct identity identity;
    const struct state *state = state_step(atomic_load(&directory->state), name, strlen(name));
    if (state_level(state) == LEVEL_NONE && !state_is_way_through(state))
        return stale;
    cleanup_fd int fd = resolve_open(view, directory, name, O_PATH);
    bool present = fd >= 0 && attributes_read(fd, NULL, &attributes, &identity) == 0;
    cleanup_node struct node_hold child = {view->nodes,
                                           node_get_child(view->nodes, directory, name)};
    bool same = child.node && present && node_is(view->nodes, child.node, &identity);
    if (same && atomic_load(&child.node->told_ns) == cache_change_time(&attributes))
        return stale;
    if (same) {
        stale.child_id = child.node->id;
        return stale;
    }
    if (!present && !child.node)
        return stale;
    stale.directory_id = directory->id;
    stale.name = true;
    if (child.node)
        stale.child_id = child.node->id;
    return stale;
}

static void drop(struct view *view, const struct stale *stale, const char *name)
{
    if (stale->child_id)
        fuse_lowlevel_notify_inval_inode(view->session, stale->child_id, 0, 0);
    if (stale->directory_id && stale->name)
        fuse_lowlevel_notify_inval_entry(view->session, stale->directory_id, name, strlen(name));
    if (stale->directory_id)
        fuse_lowlevel_notify_inval_inode(view->session, stale->directory_id, 0, 0);
}

static void take_event(struct view *view, const struct inotify_event *event)
{
    cleanup_node struct node_hold hold = {view->nodes,
                                          node_get(view->nodes, node_of(view->watch, event->wd))};
    struct stale stale = {0};
    if (event->mask & IN_IGNORED) {
        forget(view->watch, event->wd);
        if (hold.node)
            atomic_store(&hold.node->watched, false);
        return;
    }
    if (!hold.node) {
        inotify_rm_watch(view->watch->fd, event->wd);
        return;
    }
    if (event->len == 0) {
        stale.directory_id = hold.node->id;
    } else {
        cleanup_move_lock struct view *shared = view_share(view);
        stale = judge_name(shared, hold.node, event->name);
    }
    drop(view, &stale, event->name);
}

/* Events were lost: nothing that is cached can be trusted. */
struct everything {
    uint64_t *ids;
    size_t count, room;
};

static void note_id(void *data, struct node *node)
{
    struct everything *everything = data;
    if (everything->count == everything->room) {
        everything->room = everything->room ? everything->room * 2 : 256;
        everything->ids =
            xreallocarray(everything->ids, everything->room, sizeof(*everything->ids));
    }
    everything->ids[everything->count++] = node->id;
}

static void drop_everything(struct view *view)
{
    struct everything everything = {0};
    log_warning("%s: changes came faster than they could be read; the caches start anew",
                view->name);
    node_tree_each(view->nodes, note_id, &everything);
    cache_forget_names(view);
    for (size_t i = 0; i < everything.count; i++)
        fuse_lowlevel_notify_inval_inode(view->session, everything.ids[i], 0, 0);
    free(everything.ids);
}

static void *wait_for_changes(void *data)
{
    struct view *view = data;
    _Alignas(struct inotify_event) char events[64 * 1024];
    for (;;) {
        ssize_t got = read(view->watch->fd, events, sizeof(events));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return NULL;
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const struct inotify_event *)(events + at);
            if (event->mask & IN_Q_OVERFLOW)
                drop_everything(view);
            else
                take_event(view, event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
}

int watch_start(struct view *view)
{
    sigset_t all, before;
    pthread_t thread;
    if (!view->watch)
        return 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, wait_for_changes, view);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        pthread_detach(thread);
    return failed;
}
