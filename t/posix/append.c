/*
 * Many processes append to one file, and nothing is lost, doubled or torn. Usage:
 * append NAME HOST_FILE RECORDS FILE..., with one writer for each FILE, all of them the file that
 * the host has as HOST_FILE. If NAME has "mapped" in it, another process changes the file's first
 * page by a mapping of the first FILE meanwhile.
 */
#include "worker.h"

#include "../tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first page is for the mapping, and is not appended to. */
enum { RECORD = 61, HEAD = 8192, MOST_WRITERS = 32 };

static void format_record(char record[RECORD + 1], unsigned writer, unsigned number)
{
    char text[128];
    snprintf(text, sizeof(text), "%2u %7u ", writer % 100, number % 10000000);
    memset(record, 'a' + (int)((writer + number) % 26), RECORD - 1);
    memcpy(record, text, 11);
    record[RECORD - 1] = '\n';
    record[RECORD] = '\0';
}

/* call->fd is the writer's number, call->flags how many records it writes. */
static long append_all(struct call *call)
{
    char record[RECORD + 1];
    int fd = open(call->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return -1;
    for (int i = 0; i < call->flags; i++) {
        format_record(record, (unsigned)call->fd, (unsigned)i);
        if (write(fd, record, RECORD) != RECORD)
            return -1;
    }
    return close(fd);
}

/* Counts up in the first page until it is told to end by the byte behind the counter. */
static long count_up(struct call *call)
{
    int fd = open(call->path, O_RDWR | O_CLOEXEC);
    unsigned char *map = mmap(NULL, HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    long counted = 0;
    if (map == MAP_FAILED)
        return -1;
    volatile unsigned char *end = map + sizeof(counted);
    do {
        counted++;
        memcpy(map, &counted, sizeof(counted));
        if (counted % 64 == 0 && msync(map, HEAD, MS_SYNC) < 0)
            return -1;
    } while (!*end);
    close(fd);
    return munmap(map, HEAD) < 0 ? -1 : counted;
}

/* Every record once, whole, and in the order of its writer. */
static bool is_complete(const char *host_file, unsigned writers, unsigned records)
{
    size_t size = (size_t)writers * records * RECORD;
    char *content = malloc(size + 1), expected[RECORD + 1];
    int fd = open(host_file, O_RDONLY | O_CLOEXEC);
    ssize_t got = pread(fd, content, size + 1, HEAD);
    unsigned next[MOST_WRITERS] = {0}, bad = 0;
    if (got != (ssize_t)size)
        diag("%zd bytes are there, of %zu", got, size);
    for (ssize_t at = 0; at + RECORD <= got; at += RECORD) {
        unsigned writer = (unsigned)strtoul(content + at, NULL, 10);
        format_record(expected, writer, writer < writers ? next[writer] : 0);
        bool good = writer < writers && memcmp(content + at, expected, RECORD) == 0;
        if (good)
            next[writer]++;
        else if (bad++ < 3)
            diag("at %zd: %.*s, and not %.*s", at, RECORD - 1, content + at, RECORD - 1, expected);
    }
    close(fd);
    free(content);
    return got == (ssize_t)size && bad == 0;
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc - 4 > MOST_WRITERS)
        die("usage: append NAME HOST_FILE RECORDS FILE...");
    const char *name = argv[1];
    unsigned writers = (unsigned)argc - 4, records = (unsigned)strtoul(argv[3], NULL, 10), good = 0;
    bool maps = strstr(name, "mapped");
    struct worker workers[MOST_WRITERS], counter = {0};
    struct call call;
    int fd = open(argv[4], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || ftruncate(fd, HEAD) < 0)
        die("cannot create %s", argv[4]);
    if (maps) {
        counter = worker_start();
        call = (struct call){.function = count_up};
        snprintf(call.path, sizeof(call.path), "%s", argv[4]);
        worker_begin(&counter, &call);
    }
    for (unsigned i = 0; i < writers; i++) {
        workers[i] = worker_start();
        call = (struct call){.function = append_all, .fd = (int)i, .flags = (int)records};
        snprintf(call.path, sizeof(call.path), "%s", argv[4 + i]);
        worker_begin(&workers[i], &call);
    }
    for (unsigned i = 0; i < writers; i++) {
        good += worker_end(&workers[i], &call) == 0;
        worker_stop(&workers[i]);
    }
    is_int(good, writers, "%s: %u writers, %u records each", name, writers, records);
    if (maps) {
        unsigned char *map = mmap(NULL, HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        map[sizeof(long)] = 1;
        long counted = worker_end(&counter, &call), found;
        worker_stop(&counter);
        munmap(map, HEAD);
        fsync(fd);
        int host = open(argv[2], O_RDONLY | O_CLOEXEC);
        ok(counted > 0 && pread(host, &found, sizeof(found), 0) == sizeof(found) &&
               found == counted,
           "%s: the mapping's last word (%ld) is there", name, counted);
        close(host);
    }
    close(fd);
    ok(is_complete(argv[2], writers, records), "%s: nothing is lost, doubled or torn", name);
    return done_testing();
}
