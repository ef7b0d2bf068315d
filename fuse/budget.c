#include "budget.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct budget {
    uint64_t bytes, files;   /* the limits; 0: none */
    pthread_mutex_t growing; /* taken before `lock`, across the system call that changes a size */
    pthread_mutex_t lock;    /* guards the two below */
    uint64_t used_bytes, used_files;
};

struct budget *budget_new(uint64_t bytes, uint64_t files)
{
    struct budget *budget = calloc(1, sizeof(*budget));
    if (!budget)
        return NULL;
    budget->bytes = bytes;
    budget->files = files;
    pthread_mutex_init(&budget->growing, NULL);
    pthread_mutex_init(&budget->lock, NULL);
    return budget;
}

void budget_free(struct budget *budget)
{
    if (!budget)
        return;
    pthread_mutex_destroy(&budget->growing);
    pthread_mutex_destroy(&budget->lock);
    free(budget);
}

static bool has_room(struct budget *budget, uint64_t growth)
{
    pthread_mutex_lock(&budget->lock);
    uint64_t used = budget->used_bytes;
    pthread_mutex_unlock(&budget->lock);
    return used <= budget->bytes && growth <= budget->bytes - used;
}

int budget_change(struct budget *budget, int fd, off_t end, size_t more,
                  struct budget_change *change)
{
    struct stat found;
    *change = (struct budget_change){0};
    if (budget->bytes == 0)
        return 0;
    pthread_mutex_lock(&budget->growing);
    int failed = fstat(fd, &found) < 0 ? errno : 0;
    uint64_t growth = end == BUDGET_APPEND  ? more
                      : end > found.st_size ? (uint64_t)(end - found.st_size)
                                            : 0;
    if (!failed && growth && !has_room(budget, growth))
        failed = ENOSPC;
    if (failed) {
        pthread_mutex_unlock(&budget->growing);
        return failed;
    }
    *change = (struct budget_change){budget, fd, found.st_size};
    return 0;
}

static void give_back(uint64_t *used, uint64_t amount)
{
    *used = *used > amount ? *used - amount : 0;
}

void budget_settle(struct budget_change *change)
{
    struct budget *budget = change->budget;
    struct stat found;
    if (!budget)
        return;
    if (fstat(change->fd, &found) == 0) {
        pthread_mutex_lock(&budget->lock);
        if (found.st_size > change->before)
            budget->used_bytes += (uint64_t)(found.st_size - change->before);
        else
            give_back(&budget->used_bytes, (uint64_t)(change->before - found.st_size));
        pthread_mutex_unlock(&budget->lock);
    }
    pthread_mutex_unlock(&budget->growing);
    change->budget = NULL;
}

int budget_truncate(struct budget *budget, int fd, off_t size)
{
    cleanup_budget_change struct budget_change change;
    int failed = budget_change(budget, fd, size, 0, &change);
    if (!failed)
        failed = ftruncate(fd, size) < 0 ? errno : 0;
    return failed;
}

int budget_take_file(struct budget *budget)
{
    if (budget->files == 0)
        return 0;
    pthread_mutex_lock(&budget->lock);
    bool may = budget->used_files < budget->files;
    budget->used_files += may;
    pthread_mutex_unlock(&budget->lock);
    return may ? 0 : ENOSPC;
}

void budget_return_file(struct budget *budget)
{
    pthread_mutex_lock(&budget->lock);
    give_back(&budget->used_files, 1);
    pthread_mutex_unlock(&budget->lock);
}

void budget_gone(struct budget *budget, int fd)
{
    struct stat found;
    bool limited = budget->bytes || budget->files;
    if (!limited || fstat(fd, &found) < 0)
        return;
    bool is_gone = found.st_nlink == 0;
    if (!is_gone)
        return;
    pthread_mutex_lock(&budget->lock);
    give_back(&budget->used_files, 1);
    if (S_ISREG(found.st_mode))
        give_back(&budget->used_bytes, (uint64_t)found.st_size);
    pthread_mutex_unlock(&budget->lock);
}

static uint64_t lower(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

void budget_show(struct budget *budget, struct statvfs *found)
{
    pthread_mutex_lock(&budget->lock);
    if (budget->bytes && found->f_frsize) {
        uint64_t left = budget->bytes > budget->used_bytes ? budget->bytes - budget->used_bytes : 0;
        found->f_blocks = lower(found->f_blocks, budget->bytes / found->f_frsize);
        found->f_bfree = lower(found->f_bfree, left / found->f_frsize);
        found->f_bavail = lower(found->f_bavail, left / found->f_frsize);
    }
    if (budget->files) {
        uint64_t left = budget->files > budget->used_files ? budget->files - budget->used_files : 0;
        found->f_files = lower(found->f_files, budget->files);
        found->f_ffree = lower(found->f_ffree, left);
        found->f_favail = lower(found->f_favail, left);
    }
    pthread_mutex_unlock(&budget->lock);
}
