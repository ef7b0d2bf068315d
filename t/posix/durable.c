/*
 * What becomes of writes. Usage: durable WHAT FILE, where WHAT is
 *   fill     fill the disk of FILE, and empty it again
 *   mapped   write FILE by a mapping that its full disk has no room for
 *   quota    write more to FILE than a quota allows
 *   sync     write and sync FILE in every way; stands still for a byte on standard input before
 * each count    write numbers to FILE and to standard output as soon as each is written
 */
#include "worker.h"

#include "../tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char block[65536];

static int open_file(const char *path, int flags)
{
    int fd = open(path, flags | O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        die("cannot open %s", path);
    return fd;
}

/* Writes until it fails, less at a time in the end. The bytes that were written. */
static off_t write_all(int fd)
{
    off_t written = 0;
    for (size_t size = sizeof(block); size > 0;) {
        ssize_t put = write(fd, block, size);
        if (put > 0)
            written += put;
        else
            size /= 2;
    }
    return written;
}

static int fill(const char *path)
{
    struct stat found;
    int fd = open_file(path, O_TRUNC);
    off_t written = write_all(fd);
    int failed = errno;
    ok(written > 0 && failed == ENOSPC, "full disk: write says ENOSPC");
    ok(fstat(fd, &found) == 0 && found.st_size == written && fsync(fd) == 0 && close(fd) == 0,
       "full disk: what was written before is all there, and close has nothing to report");
    fd = open_file(path, 0);
    ok(ftruncate(fd, 0) == 0 && write(fd, block, sizeof(block)) == sizeof(block) && fsync(fd) == 0,
       "full disk: emptied, it can be written again");
    ok(fallocate(fd, 0, 0, written * 4) < 0 && errno == ENOSPC, "full disk: fallocate says ENOSPC");
    close(fd);
    return done_testing();
}

static int mapped(const char *path)
{
    char *filler_path = NULL;
    int fd = open_file(path, O_TRUNC);
    if (asprintf(&filler_path, "%s.filler", path) < 0 || ftruncate(fd, 1 << 20) < 0)
        die("cannot prepare");
    char *map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int filler = open_file(filler_path, O_TRUNC);
    write_all(filler);
    fsync(filler);
    memset(map, 'm', 1 << 20);
    munmap(map, 1 << 20);
    ok(close(fd) < 0 && errno == ENOSPC, "full disk: close reports what a mapping could not write");
    fd = open_file(path, 0);
    map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(map, 'n', 1 << 20);
    ok(msync(map, 1 << 20, MS_SYNC) < 0 && errno == ENOSPC, "full disk: and so does msync");
    munmap(map, 1 << 20);
    close(fd);
    close(filler);
    unlink(filler_path);
    unlink(path);
    free(filler_path);
    return done_testing();
}

static int over_quota(const char *path)
{
    int fd = open_file(path, 0);
    off_t written = write_all(fd);
    ok(errno == EDQUOT && written > 0, "quota: write says EDQUOT");
    ok(close(fd) == 0, "quota: and close has nothing to report");
    return done_testing();
}

static void wait_for_word(const char *what)
{
    char byte;
    printf("%s\n", what);
    fflush(stdout);
    if (read(STDIN_FILENO, &byte, 1) != 1)
        die("no word comes");
}

static int sync_all(const char *path)
{
    int fd = open_file(path, O_TRUNC), folder = -1;
    char *name = strdup(path);
    *strrchr(name, '/') = '\0';
    folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int synchronous = open_file(path, O_SYNC), data_only = open_file(path, O_DSYNC);
    bool good = folder >= 0;
    wait_for_word("write");
    good &= write(fd, block, 4096) == 4096;
    wait_for_word("fsync");
    good &= fsync(fd) == 0;
    wait_for_word("fdatasync");
    good &= pwrite(fd, block, 4096, 8192) == 4096 && fdatasync(fd) == 0;
    wait_for_word("O_SYNC");
    good &= pwrite(synchronous, block, 4096, 16384) == 4096;
    wait_for_word("O_DSYNC");
    good &= pwrite(data_only, block, 4096, 32768) == 4096;
    wait_for_word("msync");
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    map[0] = 'm';
    good &= msync(map, 4096, MS_SYNC) == 0;
    wait_for_word("fsync of a folder");
    good &= renameat(folder, strrchr(path, '/') + 1, folder, "renamed") == 0 && fsync(folder) == 0;
    wait_for_word("end");
    free(name);
    return good ? 0 : 1;
}

static int count(const char *path)
{
    char text[32];
    int fd = open_file(path, O_APPEND);
    for (unsigned number = 0;; number++) {
        int length = snprintf(text, sizeof(text), "%u\n", number);
        if (write(fd, text, (size_t)length) != length) {
            printf("%s\n", strerrorname_np(errno));
            return 0;
        }
        fputs(text, stdout);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: durable WHAT FILE");
    const char *what = argv[1];
    memset(block, 'b', sizeof(block));
    if (strcmp(what, "fill") == 0)
        return fill(argv[2]);
    if (strcmp(what, "mapped") == 0)
        return mapped(argv[2]);
    if (strcmp(what, "quota") == 0)
        return over_quota(argv[2]);
    if (strcmp(what, "sync") == 0)
        return sync_all(argv[2]);
    return count(argv[2]);
}
