/*
 * What an agent can still do after the rules changed. Reads commands from standard input and
 * answers each by one line:
 *
 *   hold FILE      opens FILE for reading and writing if that works (else for reading) and maps it
 *   read|write|mapped|stat|flock|lock|locked    does that through what is held (lock: a record
 * lock, locked: asks for one that is in the way): "ok" or the errno's name unlock         gives
 * both kinds of lock back hammer FILE    lets 8 threads open and read FILE in a loop mark notes the
 * time: opens that begin later must fail late           stops the threads; how many opens began
 * after the mark and succeeded
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, SIZE = 4096 };

static struct {
    int fd;
    volatile char *map;
} held = {.fd = -1};

static const char *hammered;
static pthread_t threads[THREADS];
static atomic_int_fast64_t mark = INT64_MAX;
static atomic_uint late, successes;
static atomic_bool stopping;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* A lock as well, because the holder of a record lock is opened by the rules of the file, too. */
static bool open_and_read(const char *path)
{
    char byte;
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool read_it = fd >= 0 && pread(fd, &byte, 1, 0) == 1;
    if (fd >= 0)
        read_it |= fcntl(fd, F_OFD_SETLK, &lock) == 0;
    if (fd >= 0)
        close(fd);
    return read_it;
}

static void *hammer(void *unused)
{
    (void)unused;
    while (!atomic_load(&stopping)) {
        int64_t begin = now();
        if (!open_and_read(hammered))
            continue;
        atomic_fetch_add(&successes, 1);
        if (begin > atomic_load(&mark))
            atomic_fetch_add(&late, 1);
    }
    return NULL;
}

static sigjmp_buf fault;

static void on_bus_error(int number)
{
    (void)number;
    siglongjmp(fault, 1);
}

static const char *read_mapped(void)
{
    if (sigsetjmp(fault, 1))
        return "SIGBUS";
    char byte = held.map[0];
    (void)byte;
    return "ok";
}

static const char *outcome(bool worked)
{
    return worked ? "ok" : strerrorname_np(errno);
}

static const char *hold(const char *path)
{
    held.fd = open(path, O_RDWR | O_CLOEXEC);
    if (held.fd < 0)
        held.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (held.fd < 0)
        return strerrorname_np(errno);
    held.map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, held.fd, 0);
    return outcome(held.map != MAP_FAILED);
}

/* `command` is F_SETLK or F_GETLK. */
static int record(int command, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(held.fd, command, &lock);
}

static const char *unlock(void)
{
    return outcome(flock(held.fd, LOCK_UN) == 0 && record(F_SETLK, F_UNLCK) == 0);
}

static const char *start(const char *path)
{
    hammered = strdup(path);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, hammer, NULL) != 0)
            return "no thread";
    while (atomic_load(&successes) < 1000)
        sched_yield();
    return "ok";
}

static const char *stop(char *text, size_t size)
{
    unsigned before = atomic_load(&late);
    for (struct timespec pause = {.tv_nsec = 200000000}; nanosleep(&pause, &pause) < 0;)
        continue;
    atomic_store(&stopping, true);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    snprintf(text, size, "%u", before + atomic_load(&late));
    return text;
}

static const char *answer(const char *command, const char *argument, char *text, size_t size)
{
    struct stat found;
    char byte = 'x';
    if (strcmp(command, "hold") == 0)
        return hold(argument);
    if (strcmp(command, "read") == 0)
        return outcome(pread(held.fd, &byte, 1, 0) == 1);
    if (strcmp(command, "write") == 0)
        return outcome(pwrite(held.fd, &byte, 1, 0) == 1);
    if (strcmp(command, "mapped") == 0)
        return read_mapped();
    if (strcmp(command, "stat") == 0)
        return outcome(fstat(held.fd, &found) == 0);
    if (strcmp(command, "flock") == 0)
        return outcome(flock(held.fd, LOCK_SH | LOCK_NB) == 0);
    if (strcmp(command, "lock") == 0)
        return outcome(record(F_SETLK, F_RDLCK) == 0);
    if (strcmp(command, "locked") == 0)
        return outcome(record(F_GETLK, F_RDLCK) == 0);
    if (strcmp(command, "unlock") == 0)
        return unlock();
    if (strcmp(command, "hammer") == 0)
        return start(argument);
    if (strcmp(command, "mark") == 0) {
        atomic_store(&mark, now());
        return "ok";
    }
    return strcmp(command, "late") == 0 ? stop(text, size) : "unknown";
}

int main(void)
{
    char line[4096], text[32];
    signal(SIGBUS, on_bus_error);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *argument = strchr(line, ' ');
        if (argument)
            *argument++ = '\0';
        puts(answer(line, argument ? argument : "", text, sizeof(text)));
        fflush(stdout);
    }
    return 0;
}
