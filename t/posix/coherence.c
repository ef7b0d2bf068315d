/*
 * What one sees of what another does to a file: at once when the file is opened, and never a
 * mixture. Usage: coherence PLACE HOST, where HOST is the same folder by another way.
 */
#include "worker.h"

#include "../tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 300000, REWRITES = 300, READS = 300 };

static const char *places[2];

static const char *path_in(int place, const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", places[place], name);
    return path;
}

static int open_in(int place, const char *name, int flags)
{
    int fd = open(path_in(place, name), flags | O_CLOEXEC, 0644);
    if (fd < 0)
        die("cannot open %s", path_in(place, name));
    return fd;
}

static void put(int place, const char *name, int flags, const char *text)
{
    int fd = open_in(place, name, O_WRONLY | O_CREAT | flags);
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        die("cannot write %s", name);
    close(fd);
}

static bool reads(int fd, const char *expected)
{
    char text[64] = "";
    ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
    return got >= 0 && strcmp(text, expected) == 0;
}

/* The same size each time, and often within one tick of the clock that files get their times from.
 */
static void rewritten(int writer, int reader, int flags, const char *how)
{
    char text[32];
    unsigned stale = 0;
    for (unsigned i = 0; i < REWRITES; i++) {
        snprintf(text, sizeof(text), "content %010u", i);
        put(writer, "rewritten", flags, text);
        int fd = open_in(reader, "rewritten", O_RDONLY);
        stale += !reads(fd, text);
        close(fd);
    }
    is_int(stale, 0, "%s: who opens the file has the new content, %d times", how, REWRITES);
}

static void replaced_once(void)
{
    unsigned stale = 0, lost = 0;
    char text[32], before[32] = "before";
    put(1, "replaced", O_TRUNC, before);
    for (unsigned i = 0; i < REWRITES; i++) {
        int old = open_in(0, "replaced", O_RDONLY);
        snprintf(text, sizeof(text), "replaced %09u", i);
        put(1, "new", O_TRUNC, text);
        if (rename(path_in(1, "new"), path_in(1, "replaced")) < 0)
            die("rename");
        int fd = open_in(0, "replaced", O_RDONLY);
        stale += !reads(fd, text);
        lost += !reads(old, before);
        close(fd);
        close(old);
        memcpy(before, text, sizeof(before));
    }
    is_int(stale, 0, "replaced by rename: who opens it has the new one");
    is_int(lost, 0, "replaced by rename: who had it open keeps the old one");
}

/* Replaces the file by others, each of one byte only and of a size of its own, until it is killed.
 */
static long replace_for_ever(struct call *call)
{
    char *bytes = malloc(SIZE), new[600];
    snprintf(new, sizeof(new), "%s.new", call->path);
    for (unsigned i = 0;; i++) {
        size_t size = SIZE - i % 26 * 4096;
        memset(bytes, 'a' + (int)(i % 26), size);
        int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || close(fd) < 0 ||
            rename(new, call->path) < 0)
            return -1;
    }
}

static bool is_whole(const char *bytes, ssize_t size)
{
    if (size <= 0 || bytes[0] < 'a' || bytes[0] > 'z' || size != SIZE - (bytes[0] - 'a') * 4096)
        return false;
    for (ssize_t i = 1; i < size; i++)
        if (bytes[i] != bytes[0])
            return false;
    return true;
}

static ssize_t read_whole(int fd, char *bytes)
{
    ssize_t all = 0, got;
    while ((got = read(fd, bytes + all, 40000)) > 0)
        all += got;
    return got < 0 ? -1 : all;
}

static bool map_whole(int fd)
{
    struct stat found;
    if (fstat(fd, &found) < 0)
        return false;
    char *map = mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_SHARED, fd, 0);
    bool whole = map != MAP_FAILED && is_whole(map, found.st_size);
    munmap(map, (size_t)found.st_size);
    return whole;
}

static void replaced_for_ever(void)
{
    struct worker writer = worker_start();
    struct call call = {.function = replace_for_ever};
    char *bytes = malloc(SIZE + 40000);
    unsigned mixed = 0, mixed_maps = 0, failed = 0;
    snprintf(call.path, sizeof(call.path), "%s", path_in(1, "turning"));
    memset(bytes, 'a', SIZE);
    int fd = open_in(1, "turning", O_WRONLY | O_CREAT);
    if (write(fd, bytes, SIZE) != SIZE || close(fd) < 0)
        die("cannot write");
    worker_begin(&writer, &call);
    for (int i = 0; i < READS; i++) {
        fd = open(path_in(0, "turning"), O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            failed++;
            continue;
        }
        mixed += !is_whole(bytes, read_whole(fd, bytes));
        mixed_maps += !map_whole(fd);
        close(fd);
    }
    ok(!worker_ended(&writer, 0) && worker_kill(&writer), "replaced all the time: and so it was");
    is_int(failed, 0, "replaced all the time: each open finds a file");
    is_int(mixed, 0, "replaced all the time: each of %d reads has one file whole", READS);
    is_int(mixed_maps, 0, "replaced all the time: each mapping too");
    free(bytes);
}

static nlink_t links_of(const char *name)
{
    struct stat found;
    return stat(path_in(0, name), &found) < 0 ? 0 : found.st_nlink;
}

/* Names of one file in one view. */
static void linked(void)
{
    struct stat one, other;
    put(0, "one", 0, "first");
    bool counted = links_of("one") == 1 && link(path_in(0, "one"), path_in(0, "other")) == 0 &&
                   links_of("one") == 2 && links_of("other") == 2 &&
                   link(path_in(0, "other"), path_in(0, "third")) == 0 && links_of("one") == 3 &&
                   unlink(path_in(0, "third")) == 0 && links_of("one") == 2;
    ok(counted, "links: their number is right by every name at once");
    ok(stat(path_in(0, "one"), &one) == 0 && stat(path_in(0, "other"), &other) == 0 &&
           one.st_ino == other.st_ino && one.st_dev == other.st_dev,
       "links: the inode number is one");

    char text[32];
    unsigned stale = 0;
    int writer = open_in(0, "one", O_RDWR), reader = open_in(0, "other", O_RDWR);
    for (unsigned i = 0; i < REWRITES; i++) {
        snprintf(text, sizeof(text), "by one name %08u", i);
        if (pwrite(i % 2 ? writer : reader, text, strlen(text), 0) != (ssize_t)strlen(text))
            die("pwrite");
        stale += !reads(i % 2 ? reader : writer, text);
    }
    is_int(stale, 0, "links: what is written by one name is read by the other");
    ok(ftruncate(writer, 3) == 0 && fstat(reader, &other) == 0 && other.st_size == 3 &&
           fchmod(reader, 0600) == 0 && stat(path_in(0, "one"), &one) == 0 &&
           (one.st_mode & 0777) == 0600,
       "links: size and mode are one");
    close(reader);
    ok(unlink(path_in(0, "one")) == 0 && links_of("other") == 1 && pwrite(writer, "end", 3, 0) == 3,
       "links: the other stays when one is removed");
    int fd = open_in(0, "other", O_RDONLY);
    ok(reads(fd, "end"), "links: with what is written by the removed one");
    close(fd);
    close(writer);
}

static off_t size_of(int place, const char *name)
{
    struct stat found;
    return stat(path_in(place, name), &found) < 0 ? -1 : found.st_size;
}

static int lock_in(int place)
{
    int fd = open_in(place, "lock", O_RDWR | O_CREAT);
    if (flock(fd, LOCK_EX) < 0)
        die("flock");
    return fd;
}

/* What is done beside the locked file by who has the lock; `round` says what. */
static off_t change_beside(int place, unsigned round)
{
    switch (round % 4) {
    case 0:
        put(place, "beside", O_EXCL, "made");
        return 4;
    case 1:
        put(place, "beside", O_APPEND, " more");
        return 9;
    case 2:
        put(place, "next", O_EXCL, "another");
        return rename(path_in(place, "next"), path_in(place, "beside")) < 0 ? -1 : 7;
    default:
        return unlink(path_in(place, "beside")) < 0 ? 0 : -1;
    }
}

/* Each in turn has the lock, and knew before what the other then changed. */
static void agreed(void)
{
    unsigned stale = 0;
    for (unsigned i = 0; i < REWRITES; i++) {
        int writer = (int)(i / 4 % 2), reader = !writer;
        size_of(reader, "beside");
        int lock = lock_in(writer);
        off_t expected = change_beside(writer, i);
        close(lock);
        lock = lock_in(reader);
        stale += size_of(reader, "beside") != expected;
        close(lock);
    }
    is_int(stale, 0, "who gets a lock knows what its last owner did beside the locked file");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: coherence PLACE HOST");
    places[0] = argv[1];
    places[1] = argv[2];
    rewritten(1, 0, 0, "rewritten in place elsewhere");
    rewritten(1, 0, O_TRUNC, "emptied and written elsewhere");
    rewritten(0, 1, 0, "rewritten in place here, read elsewhere");
    replaced_once();
    replaced_for_ever();
    linked();
    agreed();
    return done_testing();
}
