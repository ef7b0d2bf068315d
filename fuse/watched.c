#include "watched.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

/* inotify queues 16384 events by default, among which the ends of watches must not be many. */
enum { SLOTS = 4096, ENDS_AT_ONCE = 1024 };

struct watched {
    struct watched *next;
    int number;
    uint64_t node_id;
};

struct watched_set {
    int inotify_fd;
    pthread_mutex_t lock; /* guards the slots, also while the kernel is asked: else a watch could
                             end just after another node got it */
    struct watched *slots[SLOTS];
    size_t count, at_most;

    pthread_mutex_t freed_lock; /* guards what follows */
    struct freed {
        int number;
        uint64_t node_id;
    } * freed;
    size_t freed_count, freed_room;
    int freed_fd; /* an eventfd: not 0 while there are some */
};

struct watched_set *watched_new(int inotify_fd, size_t at_most)
{
    cleanup_fd int freed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct watched_set *set = freed_fd < 0 ? NULL : calloc(1, sizeof(*set));
    if (!set)
        return NULL;
    set->inotify_fd = inotify_fd;
    set->at_most = at_most;
    set->freed_fd = fd_steal(&freed_fd);
    pthread_mutex_init(&set->lock, NULL);
    pthread_mutex_init(&set->freed_lock, NULL);
    return set;
}

void watched_free(struct watched_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        for (struct watched *watched = set->slots[i], *next; watched; watched = next) {
            next = watched->next;
            free(watched);
        }
    }
    free(set->freed);
    fd_close(&set->freed_fd);
    pthread_mutex_destroy(&set->lock);
    pthread_mutex_destroy(&set->freed_lock);
    free(set);
}

/* --- The slots; the lock is held --- */

static struct watched **slot_of(struct watched_set *set, int number)
{
    return &set->slots[(unsigned)number % SLOTS];
}

static struct watched **find(struct watched_set *set, int number)
{
    struct watched **at = slot_of(set, number);
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static int remember(struct watched_set *set, int number, uint64_t node_id)
{
    struct watched *watched = *find(set, number);
    if (!watched) {
        if (set->count >= set->at_most)
            return EDQUOT;
        if (!(watched = calloc(1, sizeof(*watched))))
            return ENOMEM;
        struct watched **slot = slot_of(set, number);
        watched->number = number;
        watched->next = *slot;
        *slot = watched;
        set->count++;
    }
    watched->node_id = node_id;
    return 0;
}

static void forget(struct watched_set *set, struct watched **at)
{
    struct watched *gone = *at;
    *at = gone->next;
    set->count--;
    free(gone);
}

/* --- Watches --- */

int watched_add(struct watched_set *set, const char *path, uint32_t events, uint64_t node_id)
{
    pthread_mutex_lock(&set->lock);
    int number = inotify_add_watch(set->inotify_fd, path, events);
    int failed = number < 0 ? errno : remember(set, number, node_id);
    if (failed && number >= 0)
        inotify_rm_watch(set->inotify_fd, number);
    pthread_mutex_unlock(&set->lock);
    return failed ? -failed : number;
}

uint64_t watched_node(struct watched_set *set, int number)
{
    pthread_mutex_lock(&set->lock);
    const struct watched *watched = *find(set, number);
    uint64_t id = watched ? watched->node_id : 0;
    pthread_mutex_unlock(&set->lock);
    return id;
}

void watched_ended(struct watched_set *set, int number)
{
    pthread_mutex_lock(&set->lock);
    struct watched **at = find(set, number);
    if (*at)
        forget(set, at);
    pthread_mutex_unlock(&set->lock);
}

void watched_end(struct watched_set *set, int number, uint64_t node_id)
{
    pthread_mutex_lock(&set->lock);
    struct watched **at = find(set, number);
    if (*at && (*at)->node_id == node_id) {
        forget(set, at);
        inotify_rm_watch(set->inotify_fd, number);
    }
    pthread_mutex_unlock(&set->lock);
}

/* --- Freed nodes --- */

/* Without memory the watch stays until it tells of something. */
void watched_node_freed(struct watched_set *set, int number, uint64_t node_id)
{
    pthread_mutex_lock(&set->freed_lock);
    if (set->freed_count == set->freed_room) {
        size_t room = set->freed_room ? set->freed_room * 2 : 64;
        struct freed *more = reallocarray(set->freed, room, sizeof(*more));
        if (more) {
            set->freed = more;
            set->freed_room = room;
        }
    }
    if (set->freed_count < set->freed_room)
        set->freed[set->freed_count++] = (struct freed){number, node_id};
    if (set->freed_count == 1)
        eventfd_write(set->freed_fd, 1);
    pthread_mutex_unlock(&set->freed_lock);
}

static size_t take_freed(struct watched_set *set, struct freed taken[ENDS_AT_ONCE])
{
    size_t count = 0;
    eventfd_t ignored;
    pthread_mutex_lock(&set->freed_lock);
    while (count < ENDS_AT_ONCE && set->freed_count > 0)
        taken[count++] = set->freed[--set->freed_count];
    if (set->freed_count == 0) {
        eventfd_read(set->freed_fd, &ignored);
        free(set->freed);
        set->freed = NULL;
        set->freed_room = 0;
    }
    pthread_mutex_unlock(&set->freed_lock);
    return count;
}

void watched_let_go(struct watched_set *set)
{
    struct freed taken[ENDS_AT_ONCE];
    size_t count = take_freed(set, taken);
    for (size_t i = 0; i < count; i++)
        watched_end(set, taken[i].number, taken[i].node_id);
}

int watched_freed_fd(const struct watched_set *set)
{
    return set->freed_fd;
}
