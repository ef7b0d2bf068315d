#include "handle.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

enum { SLOTS = 1024, CLOSING_NS = 100 * 1000 * 1000 };

struct handle_table {
    pthread_mutex_t
        opening; /* taken before the tree's lock: no file is opened while a node is renewed */
    pthread_rwlock_t lock;
    struct handle *slots[SLOTS];
    uint64_t last_id;
    size_t count;
    struct node_tree *tree;
};

static struct handle **slot_of(struct handle_table *table, uint64_t id)
{
    return &table->slots[id % SLOTS];
}

struct handle_table *handle_table_new(struct node_tree *tree)
{
    struct handle_table *table = calloc(1, sizeof(*table));
    if (!table)
        return NULL;
    pthread_mutex_init(&table->opening, NULL);
    pthread_rwlock_init(&table->lock, NULL);
    table->tree = tree;
    return table;
}

static void free_handle(struct handle_table *table, struct handle *handle)
{
    fd_close(&handle->fd);
    node_put(table->tree, handle->node);
    free(handle);
}

void handle_table_free(struct handle_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        for (struct handle *handle = table->slots[i], *next; handle; handle = next) {
            next = handle->next;
            free_handle(table, handle);
        }
    }
    pthread_rwlock_destroy(&table->lock);
    pthread_mutex_destroy(&table->opening);
    free(table);
}

size_t handle_table_count(struct handle_table *table)
{
    pthread_rwlock_rdlock(&table->lock);
    size_t count = table->count;
    pthread_rwlock_unlock(&table->lock);
    return count;
}

uint64_t handle_open(struct handle_table *table, struct node *node, int fd, bool can_write)
{
    struct handle *handle = calloc(1, sizeof(*handle));
    /* The caller holds the node, so that getting it again cannot fail. */
    if (!handle || !(handle->node = node_get(table->tree, node->id))) {
        free(handle);
        fd_close(&fd);
        return 0;
    }
    handle->fd = fd;
    handle->can_write = can_write;
    atomic_init(&handle->holds, 1);
    atomic_init(&handle->locked, false);
    atomic_init(&handle->silent, false);
    atomic_init(&handle->is_counted, false);
    atomic_init(&handle->closed_at_ns, 0);

    pthread_rwlock_wrlock(&table->lock);
    uint64_t id = table->count < HANDLES_AT_MOST ? ++table->last_id : 0;
    if (id) {
        struct handle **slot = slot_of(table, id);
        handle->id = id;
        handle->next = *slot;
        *slot = handle;
        table->count++;
    }
    pthread_rwlock_unlock(&table->lock);
    if (!id)
        free_handle(table, handle);
    return id;
}

static bool is_open(struct handle_table *table, const struct node *node)
{
    bool open = false;
    pthread_rwlock_rdlock(&table->lock);
    for (size_t i = 0; i < SLOTS && !open; i++)
        for (const struct handle *handle = table->slots[i]; handle && !open; handle = handle->next)
            open = handle->node == node;
    pthread_rwlock_unlock(&table->lock);
    return open;
}

uint64_t handle_open_file(struct handle_table *table, struct node *node, int fd, bool can_write,
                          const struct identity *found, bool *renewed)
{
    uint64_t id = 0;
    pthread_mutex_lock(&table->opening);
    bool same = node_is(table->tree, node, found);
    *renewed = !same && !is_open(table, node) && node_renew(table->tree, node, found);
    if (same || *renewed)
        id = handle_open(table, node, fd_steal(&fd), can_write);
    pthread_mutex_unlock(&table->opening);
    fd_close(&fd);
    errno = same || *renewed ? ENFILE : ESTALE;
    return id;
}

struct handle *handle_get(struct handle_table *table, uint64_t id)
{
    pthread_rwlock_rdlock(&table->lock);
    struct handle *handle = *slot_of(table, id);
    while (handle && handle->id != id)
        handle = handle->next;
    if (handle)
        atomic_fetch_add(&handle->holds, 1);
    pthread_rwlock_unlock(&table->lock);
    return handle;
}

void handle_put(struct handle_table *table, struct handle *handle)
{
    if (atomic_fetch_sub(&handle->holds, 1) == 1)
        free_handle(table, handle);
}

void handle_hold_cleanup(struct handle_hold *hold)
{
    if (hold->handle)
        handle_put(hold->table, hold->handle);
    hold->handle = NULL;
}

void handle_release(struct handle_table *table, uint64_t id)
{
    pthread_rwlock_wrlock(&table->lock);
    struct handle **at = slot_of(table, id);
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    struct handle *handle = *at;
    if (handle) {
        *at = handle->next;
        table->count--;
    }
    pthread_rwlock_unlock(&table->lock);
    if (handle)
        handle_put(table, handle);
}

static bool is_same_file(const struct node *one, const struct node *other)
{
    return one->identity.device == other->identity.device &&
           one->identity.inode == other->identity.inode;
}

void handle_set_silent(struct handle_table *table, uint64_t id)
{
    cleanup_handle struct handle_hold open = {table, handle_get(table, id)};
    if (open.handle)
        atomic_store(&open.handle->silent, true);
}

/* When the file may last have been closed. */
static int64_t closed_at(const struct handle *handle)
{
    struct timespec now;
    if (!atomic_load(&handle->silent))
        return atomic_load(&handle->closed_at_ns);
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t handle_closing_until(struct handle_table *table, const struct node *node)
{
    int64_t last = 0;
    pthread_rwlock_rdlock(&table->lock);
    for (size_t i = 0; i < SLOTS; i++) {
        for (struct handle *handle = table->slots[i]; handle; handle = handle->next) {
            if (!atomic_load(&handle->locked) || !is_same_file(handle->node, node))
                continue;
            int64_t closed = closed_at(handle);
            last = closed > last ? closed : last;
        }
    }
    pthread_rwlock_unlock(&table->lock);
    return last ? last + CLOSING_NS : 0;
}

int handle_borrow(struct handle_table *table, const struct node *node, bool can_write)
{
    int fd = -1;
    pthread_rwlock_rdlock(&table->lock);
    for (size_t i = 0; i < SLOTS && fd < 0; i++)
        for (struct handle *handle = table->slots[i]; handle && fd < 0; handle = handle->next)
            if (handle->node == node && (handle->can_write || !can_write))
                fd = fcntl(handle->fd, F_DUPFD_CLOEXEC, 0);
    pthread_rwlock_unlock(&table->lock);
    return fd;
}
