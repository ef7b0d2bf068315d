#include "lock_owner.h"

#include "resolve.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Each holder is a descriptor. */
enum { HOLDERS_AT_MOST = 16384, SLOTS = 256 };

struct lock_owner {
    struct lock_owner *next;
    dev_t device;
    ino_t inode;
    uint64_t owner;
    uint64_t handle_id; /* the one by which it first locked */
    unsigned holds;     /* the table's and the requests' */
    int fd;
};

struct lock_owners {
    pthread_mutex_t lock; /* guards all below, and the holds */
    struct lock_owner *slots[SLOTS];
    size_t count;
};

struct lock_owners *lock_owners_new(void)
{
    struct lock_owners *owners = calloc(1, sizeof(*owners));
    if (owners)
        pthread_mutex_init(&owners->lock, NULL);
    return owners;
}

static void drop_hold(struct lock_owner *holder)
{
    if (--holder->holds > 0)
        return;
    fd_close(&holder->fd);
    free(holder);
}

void lock_owners_free(struct lock_owners *owners)
{
    if (!owners)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        for (struct lock_owner *holder = owners->slots[i], *next; holder; holder = next) {
            next = holder->next;
            drop_hold(holder);
        }
    }
    pthread_mutex_destroy(&owners->lock);
    free(owners);
}

size_t lock_owners_count(struct lock_owners *owners)
{
    pthread_mutex_lock(&owners->lock);
    size_t count = owners->count;
    pthread_mutex_unlock(&owners->lock);
    return count;
}

static struct lock_owner **slot_of(struct lock_owners *owners, const struct identity *file)
{
    return &owners->slots[file->inode % SLOTS];
}

/* By the file, because all its names are one to a lock. The holder's descriptor keeps the inode
 * number from being used again. */
static bool is_holder(const struct lock_owner *holder, const struct identity *file, uint64_t owner)
{
    return holder->device == file->device && holder->inode == file->inode && holder->owner == owner;
}

static struct lock_owner *find(struct lock_owners *owners, const struct identity *file,
                               uint64_t owner)
{
    struct lock_owner *holder = *slot_of(owners, file);
    while (holder && !is_holder(holder, file, owner))
        holder = holder->next;
    return holder;
}

/* A description of the handle's file that can take both kinds of lock where rules and source allow
 * it, even when the handle itself only reads: its owner may lock by another one next. */
static int open_description(struct view *view, const struct handle *handle)
{
    bool may_write = state_level(atomic_load(&handle->node->state)) == LEVEL_WRITE;
    int fd = may_write ? resolve_reopen(view, handle->fd, O_RDWR | O_NONBLOCK) : -EACCES;
    if (fd < 0)
        fd = resolve_reopen(view, handle->fd, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        fd = resolve_reopen(view, handle->fd, O_WRONLY | O_NONBLOCK);
    return fd;
}

static struct lock_owner *make(struct view *view, const struct handle *handle, uint64_t owner)
{
    struct lock_owner *holder = calloc(1, sizeof(*holder));
    if (!holder)
        return NULL;
    *holder = (struct lock_owner){
        .device = handle->node->identity.device,
        .inode = handle->node->identity.inode,
        .owner = owner,
        .handle_id = handle->id,
        .holds = 1,
        .fd = open_description(view, handle),
    };
    if (holder->fd < 0) {
        errno = holder->fd == -ENFILE ? ENOLCK : -holder->fd;
        free(holder);
        return NULL;
    }
    return holder;
}

struct lock_owner *lock_owner_get(struct lock_owners *owners, struct view *view,
                                  const struct handle *handle, uint64_t owner)
{
    const struct identity *file = &handle->node->identity;
    pthread_mutex_lock(&owners->lock);
    struct lock_owner *holder = find(owners, file, owner);
    if (!holder && owners->count >= HOLDERS_AT_MOST) {
        errno = ENOLCK;
    } else if (!holder && (holder = make(view, handle, owner))) {
        struct lock_owner **slot = slot_of(owners, file);
        holder->next = *slot;
        *slot = holder;
        owners->count++;
    }
    if (holder)
        holder->holds++;
    pthread_mutex_unlock(&owners->lock);
    return holder;
}

void lock_owner_put(struct lock_owners *owners, struct lock_owner *holder)
{
    pthread_mutex_lock(&owners->lock);
    drop_hold(holder);
    pthread_mutex_unlock(&owners->lock);
}

int lock_owner_fd(const struct lock_owner *holder)
{
    return holder->fd;
}

/* Takes the holder out of the table and unlocks, also when a request of its own still waits. */
static void remove_at(struct lock_owners *owners, struct lock_owner **at)
{
    struct lock_owner *holder = *at;
    struct flock everything = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    *at = holder->next;
    owners->count--;
    fcntl(holder->fd, F_OFD_SETLK, &everything);
    drop_hold(holder);
}

bool lock_owners_drop(struct lock_owners *owners, const struct identity *file, uint64_t owner)
{
    bool found = false;
    pthread_mutex_lock(&owners->lock);
    for (struct lock_owner **at = slot_of(owners, file); *at;) {
        if (is_holder(*at, file, owner)) {
            remove_at(owners, at);
            found = true;
        } else {
            at = &(*at)->next;
        }
    }
    pthread_mutex_unlock(&owners->lock);
    return found;
}

bool lock_owners_drop_handle(struct lock_owners *owners, uint64_t handle_id)
{
    bool found = false;
    pthread_mutex_lock(&owners->lock);
    for (size_t i = 0; i < SLOTS && owners->count; i++) {
        for (struct lock_owner **at = &owners->slots[i]; *at;) {
            if ((*at)->handle_id == handle_id) {
                remove_at(owners, at);
                found = true;
            } else {
                at = &(*at)->next;
            }
        }
    }
    pthread_mutex_unlock(&owners->lock);
    return found;
}
