/*
 * Load on a view, in the middle of which its processes are killed. Run as:
 *     load VIEW OPERATIONS PROCESS...
 * Four threads make, write, read, rename and remove files in VIEW; after so many operations in all,
 * the processes get SIGKILL. From then on every operation has to fail as on a connection that is
 * gone, in each thread and for good; only what the kernel has cached of a name may be told for a
 * second. Exit status 0 if so; else 1, and what went wrong on standard error.
 */
#include "files.h"

#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 4, AFTERWARDS = 200 };

static const char *view;
static long kill_after;
static pid_t *victims;
static size_t victim_count;
static atomic_long operations;
static atomic_uint wrong;

static bool is_end(int number)
{
    return number == ENOTCONN || number == ECONNABORTED;
}

/* One operation on a path of the thread's own; 0 or an errno. */
static int operate(const char *path, const char *other, unsigned kind)
{
    struct stat found;
    char content[64];
    int fd;
    switch (kind % 6) {
    case 0:
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            return errno;
        int failed = answer(write(fd, "content\n", 8));
        close(fd);
        return failed;
    case 1:
        return file_read(path, content, sizeof(content));
    case 2:
        return answer(rename(path, other));
    case 3:
        return answer(stat(other, &found));
    case 4:
        return answer(unlink(other));
    default:
        return answer(mkdir(other, 0755) < 0 ? -1 : rmdir(other));
    }
}

/* An answer of the kernel's own: that a name is absent, that it is there, or the attributes of a
 * file. A view that is killed between mkdir and rmdir leaves a directory. */
static bool is_cached(int number, unsigned kind)
{
    switch (kind % 6) {
    case 2:
    case 4:
        return number == ENOENT || number == EISDIR;
    case 3:
        return number == ENOENT || number == 0;
    case 5:
        return number == ENOENT || number == EEXIST;
    default:
        return number == ENOENT;
    }
}

/* What a killed view left in the middle of an operation. */
static void clean(const char *path)
{
    if (unlink(path) < 0 && errno == EISDIR)
        rmdir(path);
}

static void count_operation(void)
{
    if (atomic_fetch_add(&operations, 1) + 1 == kill_after)
        for (size_t i = 0; i < victim_count; i++)
            if (kill(victims[i], SIGKILL) < 0 && errno != ESRCH) /* with the one before */
                must(-1, "kill");
}

static void *work(void *data)
{
    unsigned long number = (unsigned long)data;
    cleanup_free char *path = xasprintf("%s/load-%lu", view, number);
    cleanup_free char *other = xasprintf("%s/load-%lu-other", view, number);
    unsigned kind = 0;
    clean(path);
    clean(other);
    for (;; kind++) {
        int got = operate(path, other, kind);
        if (is_end(got))
            break;
        if (got && got != ENOENT)
            fprintf(stderr, "operation %u: %s\n", kind % 6, strerrorname_np(got));
        count_operation();
    }
    for (unsigned i = 0; i < AFTERWARDS; i++) {
        int got = operate(path, other, kind + i);
        if (!is_end(got) && !is_cached(got, kind + i)) {
            fprintf(stderr, "after the end, operation %u: %s\n", (kind + i) % 6,
                    strerrorname_np(got));
            atomic_fetch_add(&wrong, 1);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    if (argc < 4) {
        fprintf(stderr, "load: run me as: load VIEW OPERATIONS PROCESS...\n");
        return 2;
    }
    view = argv[1];
    kill_after = strtol(argv[2], NULL, 10);
    victim_count = (size_t)argc - 3;
    victims = xcalloc(victim_count, sizeof(*victims));
    for (size_t i = 0; i < victim_count; i++)
        victims[i] = (pid_t)strtol(argv[3 + i], NULL, 10);
    alarm(60);
    for (unsigned long i = 0; i < THREADS; i++)
        must(pthread_create(&threads[i], NULL, work, (void *)i) ? -1 : 0, "thread");
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    free(victims);
    return wrong > 0;
}
