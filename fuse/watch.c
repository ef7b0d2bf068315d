#include "watch.h"

#include "attributes.h"
#include "cache.h"
#include "folding.h"
#include "node.h"
#include "resolve.h"
#include "watched.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_ATTRIB,
};

struct watch {
    int fd;
    pthread_mutex_t reading; /* held until what was read is told, taken before any other lock */
    struct watched_set *set;
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

/* One of inotify's limits for the user; see inotify(7). 0 when it cannot be read. */
static size_t limit_of(const char *name)
{
    char path[64], digits[32];
    snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, digits, sizeof(digits) - 1);
    if (got <= 0)
        return 0;
    digits[got] = '\0';
    return strtoul(digits, NULL, 10);
}

/* What the views of a user take together at most, of what all the user's programs share. */
enum { POLITE_PART = 4 };

bool watch_is_polite(size_t views)
{
    return views < limit_of("max_user_instances") / POLITE_PART;
}

struct watch *watch_new(const struct view *view, struct error **error)
{
    if (!sees_all_changes(view->root_fd)) {
        error_set(error, 0, "the source's file system does not tell of all changes");
        return NULL;
    }
    cleanup_fd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    size_t at_most = limit_of("max_user_watches") / POLITE_PART;
    struct watched_set *set = fd < 0 ? NULL : watched_new(fd, at_most);
    if (!set) {
        error_set(error, errno,
                  "cannot get an inotify instance; see inotify(7), max_user_instances");
        return NULL;
    }
    struct watch *watch = xcalloc(1, sizeof(*watch));
    pthread_mutex_init(&watch->reading, NULL);
    watch->set = set;
    watch->fd = fd_steal(&fd);
    return watch;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    watched_free(watch->set);
    fd_close(&watch->fd);
    pthread_mutex_destroy(&watch->reading);
    free(watch);
}

static void tell_full(struct view *view, const char *reason)
{
    if (!atomic_exchange(&view->watch->full_told, true))
        log_warning("%s: not all directories can be watched (%s); the others are cached for a "
                    "second only",
                    view->name, reason);
}

/* Mounts in the source may have file systems that are blind, and show one directory at several
 * paths, of which only the first one is told of its changes. */
void watch_directory(struct view *view, struct node *directory, int opened)
{
    uint32_t events = EVENTS | IN_ONLYDIR | IN_EXCL_UNLINK;
    if (!view->watch || atomic_exchange(&directory->watch_tried, true))
        return;
    cleanup_fd int resolved = opened < 0 ? resolve_directory(view, directory) : -1;
    int fd = opened < 0 ? resolved : opened;
    if (fd < 0 || (view->submounts && !sees_all_changes(fd)))
        return;
    if (view->submounts)
        events |= IN_MASK_CREATE;
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int number = watched_add(view->watch->set, path, events, directory->id);
    if (number == -EEXIST)
        return;
    if (number < 0) {
        tell_full(view, number == -EDQUOT ? "the user's other programs need some as well"
                                          : strerrorname_np(-number));
        return;
    }
    atomic_store(&directory->watch_number, number);
    atomic_store(&directory->watched, true);
}

/* What one change means for what the kernel knows, but for attributes, of which it is told at once.
 */
struct stale {
    bool name;              /* what the name leads to, if anything, is another thing now */
    struct identity linked; /* a file that has several names; zero: none */
};

/* The kernel may not know the node yet, when the answer that tells of it is on its way: then it has
 * to look the name up again. */
static struct stale judge_name(struct view *view, struct node *directory, const char *name)
{
    struct stale stale = {0};
    struct stat attributes;
    struct identity identity;
    cleanup_fd int fd = resolve_open(view, directory, name, O_PATH);
    bool present = fd >= 0 && attributes_read(fd, NULL, &attributes, &identity) == 0;
    if (present && !S_ISDIR(attributes.st_mode) && attributes.st_nlink > 1)
        stale.linked = identity;
    const struct state *state = state_step(atomic_load(&directory->state), name, strlen(name));
    if (state_level(state) == LEVEL_NONE && !state_is_way_through(state))
        return stale;
    cleanup_node struct node_hold child = {view->nodes,
                                           node_get_child(view->nodes, directory, name)};
    bool same = child.node && present && node_is(view->nodes, child.node, &identity);
    if (same && cache_was_told(child.node, &attributes))
        return stale;
    if (child.node)
        stale.name = !cache_forget_told(view, child.node) || !same;
    else if (present)
        stale.name = atomic_load(&directory->running_lookups) ||
                     atomic_exchange(&directory->told_absence, false);
    if (!same && (child.node || present))
        cache_forget_told(view, directory);
    return stale;
}

/* A directory that takes two spellings for one from now on hides all that is in it. */
static struct stale judge(struct view *shared, struct node *directory, const char *name)
{
    cleanup_move_lock struct view *view = view_share(shared);
    if (!folding_directory_changed(view, directory))
        return judge_name(view, directory, name);
    cache_forget_told(view, directory);
    return (struct stale){.name = true};
}

/* Nodes of whose attributes the kernel knows some to forget, noted under the tree's lock and told
 * of without. What is being read of others meanwhile is not kept for long. */
struct node_list {
    const struct identity *linked; /* only nodes of this file; NULL: all */
    uint64_t *ids;
    size_t count, room;
};

static void note_node(void *data, struct node *node)
{
    struct node_list *list = data;
    if (list->linked && (node->identity.inode != list->linked->inode ||
                         node->identity.device != list->linked->device))
        return;
    atomic_fetch_add(&node->changes, 1);
    if (atomic_exchange(&node->told_ns, CACHE_TOLD_NOTHING) == CACHE_TOLD_NOTHING)
        return;
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 256;
        list->ids = xreallocarray(list->ids, list->room, sizeof(*list->ids));
    }
    list->ids[list->count++] = node->id;
}

/* A file got another name on the host: by that it may change without a word to the directories of
 * its first one. The kernel asks for its attributes again, and learns that it has two. */
static void drop_linked(struct view *view, const struct identity *linked)
{
    struct node_list list = {.linked = linked};
    node_tree_each(view->nodes, note_node, &list);
    for (size_t i = 0; i < list.count; i++)
        cache_forget_attributes(view, list.ids[i]);
    free(list.ids);
}

/* True when the kernel has to look names up again, which the caller sees to once for many events.
 *
 * The kernel is told of attributes and of all names at once, and never to drop one name or a page:
 * for these it waits for whoever has the directory or the page locked, which may be a process that
 * waits for us. If the server were killed meanwhile, neither would ever come to an end. Pages and
 * listings are dropped by the kernel itself when it finds other times with the attributes. */
static bool take_event(struct view *view, const struct inotify_event *event)
{
    uint64_t id = watched_node(view->watch->set, event->wd);
    cleanup_node struct node_hold hold = {view->nodes, node_get(view->nodes, id)};
    if (event->mask & IN_IGNORED) {
        watched_ended(view->watch->set, event->wd);
        if (hold.node)
            atomic_store(&hold.node->watched, false);
        return false;
    }
    if (!hold.node) {
        watched_end(view->watch->set, event->wd, id);
        return false;
    }
    atomic_fetch_add(&hold.node->changes, 1);
    if (event->len == 0) {
        cache_forget_told(view, hold.node);
        return false;
    }
    struct stale stale = judge(view, hold.node, event->name);
    if (stale.linked.inode && (event->mask & IN_CREATE))
        drop_linked(view, &stale.linked);
    return stale.name;
}

/* Events were lost: nothing that is cached can be trusted. */
static void drop_everything(struct view *view)
{
    struct node_list all = {0};
    log_warning("%s: changes came faster than they could be read; the caches start anew",
                view->name);
    node_tree_each(view->nodes, note_node, &all);
    cache_forget_names(view);
    for (size_t i = 0; i < all.count; i++)
        cache_forget_attributes(view, all.ids[i]);
    free(all.ids);
}

/* A file that is being written has many events in a row. */
static bool is_repeated(const struct inotify_event *event, const struct inotify_event *before)
{
    return before && event->wd == before->wd && event->len == before->len && event->len &&
           !((event->mask ^ before->mask) & IN_CREATE) && strcmp(event->name, before->name) == 0;
}

/* Of what the view itself does, the nodes tell when it is through. */
static void wait_for_requests(struct view *view)
{
    cleanup_move_lock struct view *alone = view_alone(view);
    (void)alone;
}

static void take_events(struct view *view, const char *events, size_t size)
{
    bool names = false;
    wait_for_requests(view);
    const struct inotify_event *before = NULL;
    for (size_t at = 0; at < size;) {
        const struct inotify_event *event = (const struct inotify_event *)(events + at);
        if (event->mask & IN_Q_OVERFLOW)
            drop_everything(view);
        else if (!is_repeated(event, before))
            names |= take_event(view, event);
        before = event;
        at += sizeof(*event) + event->len;
    }
    if (names)
        cache_forget_names(view);
}

/* What read(2) says. */
static ssize_t take_some(struct view *view)
{
    _Alignas(struct inotify_event) char events[64 * 1024];
    ssize_t got = read(view->watch->fd, events, sizeof(events));
    if (got > 0)
        take_events(view, events, (size_t)got);
    return got;
}

void watch_catch_up(struct view *view)
{
    int queued = 0;
    ssize_t got;
    if (!view->watch)
        return;
    pthread_mutex_lock(&view->watch->reading);
    ioctl(view->watch->fd, FIONREAD, &queued);
    for (; queued > 0 && (got = take_some(view)) > 0; queued -= (int)got)
        ;
    pthread_mutex_unlock(&view->watch->reading);
}

/* Changes come in flocks. */
static const struct timespec gathering = {.tv_nsec = 4 * 1000 * 1000};

static void *wait_for_changes(void *data)
{
    struct view *view = data;
    struct pollfd waiting[] = {
        {.fd = view->watch->fd, .events = POLLIN},
        {.fd = watched_freed_fd(view->watch->set), .events = POLLIN},
    };
    for (;;) {
        if (poll(waiting, 2, -1) < 0 && errno != EINTR)
            return NULL;
        nanosleep(&gathering, NULL);
        watched_let_go(view->watch->set);
        pthread_mutex_lock(&view->watch->reading);
        ssize_t got = take_some(view);
        int failed = got < 0 ? errno : 0;
        pthread_mutex_unlock(&view->watch->reading);
        if (got == 0 || (failed && failed != EINTR && failed != EAGAIN))
            return NULL;
    }
}

static void node_freed(void *data, const struct node *node)
{
    const struct watch *watch = data;
    if (atomic_load(&node->watched))
        watched_node_freed(watch->set, atomic_load(&node->watch_number), node->id);
}

int watch_start(struct view *view)
{
    sigset_t all, before;
    pthread_t thread;
    if (!view->watch)
        return 0;
    node_tree_on_free(view->nodes, node_freed, view->watch);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, wait_for_changes, view);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        pthread_detach(thread);
    return failed;
}
