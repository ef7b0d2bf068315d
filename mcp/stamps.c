#include "stamps.h"

#include "scopefs/mem.h"

/* Beyond that the oldest are forgotten. */
#define MAX_STAMPS 4096

static void free_one(struct stamp *stamp)
{
    free(stamp->path);
    free(stamp);
}

/* Unlinks it. */
static struct stamp *take(struct session *session, const char *path)
{
    size_t count = 0;
    for (struct stamp **place = &session->stamps; *place; place = &(*place)->next) {
        struct stamp *stamp = *place;
        bool is_same = strcmp(stamp->path, path) == 0;
        if (!is_same && ++count < MAX_STAMPS)
            continue;
        *place = stamp->next;
        if (is_same)
            return stamp;
        free_one(stamp);
        return NULL;
    }
    return NULL;
}

void stamps_set(struct session *session, const char *path, const struct stat *status)
{
    pthread_mutex_lock(&session->server->lock);
    struct stamp *stamp = take(session, path);
    if (!stamp) {
        stamp = xcalloc(1, sizeof(*stamp));
        stamp->path = xstrdup(path);
    }
    stamp->inode = status->st_ino;
    stamp->size = (unsigned long long)status->st_size;
    stamp->changed_s = status->st_mtim.tv_sec;
    stamp->changed_ns = status->st_mtim.tv_nsec;
    stamp->next = session->stamps;
    session->stamps = stamp;
    pthread_mutex_unlock(&session->server->lock);
}

bool stamps_fit(struct session *session, const char *path, const struct stat *status)
{
    pthread_mutex_lock(&session->server->lock);
    const struct stamp *stamp = session->stamps;
    while (stamp && strcmp(stamp->path, path) != 0)
        stamp = stamp->next;
    bool fits = !stamp || (stamp->inode == status->st_ino &&
                           stamp->size == (unsigned long long)status->st_size &&
                           stamp->changed_s == status->st_mtim.tv_sec &&
                           stamp->changed_ns == status->st_mtim.tv_nsec);
    pthread_mutex_unlock(&session->server->lock);
    return fits;
}

void stamps_forget(struct session *session, const char *path)
{
    pthread_mutex_lock(&session->server->lock);
    struct stamp *stamp = take(session, path);
    pthread_mutex_unlock(&session->server->lock);
    if (stamp)
        free_one(stamp);
}

void stamps_free(struct stamp *first)
{
    while (first) {
        struct stamp *next = first->next;
        free_one(first);
        first = next;
    }
}
