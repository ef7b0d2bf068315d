/*
 * Changes a file in one way, for a test that looks at its mode afterwards. Usage: change HOW FILE.
 */
#include "worker.h"

#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_direct(const char *path)
{
    int fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
    char *block = aligned_alloc(4096, 4096);
    memset(block, 'd', 4096);
    bool written = pwrite(fd, block, 4096, 0) == 4096;
    free(block);
    return written;
}

static bool write_mapped(int fd)
{
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return false;
    map[0] = 'm';
    return msync(map, 4096, MS_SYNC) == 0;
}

static bool change(const char *how, const char *path)
{
    bool by_name = strncmp(how, "by name", 7) == 0;
    int fd = by_name ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (!by_name && fd < 0)
        die("cannot open %s", path);
    if (strcmp(how, "write") == 0)
        return write(fd, "x", 1) == 1;
    if (strcmp(how, "write nothing") == 0)
        return write(fd, "", 0) == 0;
    if (strcmp(how, "append") == 0)
        return write(open(path, O_WRONLY | O_APPEND | O_CLOEXEC), "x", 1) == 1;
    if (strcmp(how, "write past the cache") == 0)
        return write_direct(path);
    if (strcmp(how, "write by a mapping") == 0)
        return write_mapped(fd);
    if (strcmp(how, "ftruncate") == 0)
        return ftruncate(fd, 100) == 0;
    if (strcmp(how, "by name, truncate") == 0)
        return truncate(path, 100) == 0;
    if (strcmp(how, "by name, O_TRUNC") == 0)
        return open(path, O_WRONLY | O_TRUNC | O_CLOEXEC) >= 0;
    if (strcmp(how, "fallocate") == 0)
        return fallocate(fd, 0, 0, 20000) == 0;
    if (strcmp(how, "punch a hole") == 0)
        return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0;
    if (strcmp(how, "copy_file_range") == 0)
        return copy_file_range(fd, &(off_t){0}, open(path, O_WRONLY | O_CLOEXEC), &(off_t){8192},
                               10, 0) == 10;
    if (strcmp(how, "by name, chown to the same") == 0)
        return chown(path, getuid(), getgid()) == 0;
    if (strcmp(how, "by name, chown to nobody in particular") == 0)
        return chown(path, (uid_t)-1, (gid_t)-1) == 0;
    if (strcmp(how, "by name, chmod") == 0)
        return chmod(path, 06700) == 0;
    if (strcmp(how, "futimens") == 0)
        return futimens(fd, NULL) == 0;
    die("no such change: %s", how);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: change HOW FILE");
    if (change(argv[1], argv[2]))
        return 0;
    perror(argv[1]);
    return 1;
}
