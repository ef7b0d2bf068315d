/*
 * The content of files: mappings, holes, copies inside the kernel, renames with flags, statx and
 * attributes of one's own. Usage as of handles: content PLACE HOST.
 */
#include "worker.h"

#include "../tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

static int place_fd, host_fd;
static const char *place;
static bool is_view;

static int open_in(int folder, const char *name, int flags)
{
    int fd = openat(folder, name, flags | O_CLOEXEC, 0644);
    if (fd < 0)
        die("cannot open %s", name);
    return fd;
}

static void create(const char *name, const char *text)
{
    int fd = open_in(place_fd, name, O_WRONLY | O_CREAT | O_TRUNC);
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        die("cannot write %s", name);
    close(fd);
}

static bool holds(int folder, const char *name, const char *expected)
{
    char text[4096] = "";
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    return got >= 0 && strcmp(text, expected) == 0;
}

static void mapped(void)
{
    int fd = open_in(place_fd, "mapped", O_RDWR | O_CREAT);
    int other = open_in(place_fd, "mapped", O_RDWR);
    if (ftruncate(fd, 10000) < 0)
        die("ftruncate");
    char *map = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char text[16] = "";
    if (map == MAP_FAILED)
        die("mmap");
    memcpy(map + 4000, "by mapping", 10);
    ok(pread(other, text, 10, 4000) == 10 && strcmp(text, "by mapping") == 0,
       "mapping: a write to it is seen by read at once");
    ok(pwrite(other, "BY WRITE", 8, 5000) == 8 && memcmp(map + 5000, "BY WRITE", 8) == 0,
       "mapping: and write is seen in it");
    msync(map, 10000, MS_SYNC);
    int host = open_in(host_fd, "mapped", O_RDONLY);
    ok(pread(host, text, 10, 4000) == 10 && strcmp(text, "by mapping") == 0,
       "mapping: after msync the host has it");
    memcpy(map, "last words", 10);
    munmap(map, 10000);
    fsync(other);
    ok(pread(host, text, 10, 0) == 10 && strcmp(text, "last words") == 0,
       "mapping: after munmap and fsync too");

    char *private = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    memcpy(private, "not", 3);
    ok(private != MAP_FAILED && pread(fd, text, 10, 0) == 10 && strcmp(text, "last words") == 0,
       "mapping: a private one changes nothing");
    munmap(private, 10000);
    close(host);
    close(other);
    close(fd);
}

static bool is_zero(const char *bytes, size_t length)
{
    while (length > 0 && bytes[length - 1] == 0)
        length--;
    return length == 0;
}

static void sparse(void)
{
    enum { MIB = 1 << 20 };
    struct stat found;
    int fd = open_in(place_fd, "sparse", O_RDWR | O_CREAT);
    if (ftruncate(fd, 8 * MIB) < 0 || pwrite(fd, "data", 4, 4 * MIB) != 4)
        die("cannot make a sparse file");
    fsync(fd);
    off_t data = lseek(fd, 0, SEEK_DATA), hole = lseek(fd, data, SEEK_HOLE);
    ok(data == 4 * MIB && hole > data && hole <= data + 65536, "holes: SEEK_DATA and SEEK_HOLE");
    ok(lseek(fd, hole, SEEK_DATA) < 0 && errno == ENXIO, "holes: no data behind the last");
    ok(lseek(fd, 0, SEEK_END) == 8 * MIB && lseek(fd, 0, SEEK_HOLE) == 0, "holes: the end");
    ok(fstat(fd, &found) == 0 && found.st_blocks < 1024, "holes: take no space");

    char *bytes = malloc(MIB);
    memset(bytes, 'x', MIB);
    ok(pwrite(fd, bytes, MIB, MIB) == MIB &&
           fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, MIB, MIB / 2) == 0 &&
           pread(fd, bytes, MIB, MIB) == MIB && is_zero(bytes, MIB / 2) && bytes[MIB / 2] == 'x',
       "holes: punched");
    ok(fallocate(fd, FALLOC_FL_ZERO_RANGE, MIB + MIB / 2, 4096) == 0 &&
           pread(fd, bytes, 8192, MIB + MIB / 2) == 8192 && is_zero(bytes, 4096) &&
           bytes[4096] == 'x',
       "holes: a range is made zero");
    ok(fallocate(fd, FALLOC_FL_KEEP_SIZE, 8 * MIB, MIB) == 0 && fstat(fd, &found) == 0 &&
           found.st_size == 8 * MIB,
       "fallocate: keeps the size when asked to");
    if (is_view)
        ok(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 65536) < 0 && errno == EOPNOTSUPP,
           "fallocate: collapse is refused as not there");
    free(bytes);
    close(fd);
}

static void copied(void)
{
    create("original", "0123456789");
    int from = open_in(place_fd, "original", O_RDONLY);
    int to = open_in(place_fd, "copy", O_RDWR | O_CREAT);
    off_t at = 2;
    ok(copy_file_range(from, &at, to, NULL, 5, 0) == 5 && at == 7 &&
           holds(place_fd, "copy", "23456") && holds(host_fd, "copy", "23456"),
       "copy_file_range: copies a part");
    ok(copy_file_range(from, NULL, to, NULL, 100, 0) == 10 &&
           copy_file_range(from, NULL, to, NULL, 100, 0) == 0 &&
           holds(host_fd, "copy", "234560123456789"),
       "copy_file_range: to the end and no further");
    close(from);
    close(to);
}

static void renamed(void)
{
    create("one", "1");
    create("two", "2");
    ok(renameat2(place_fd, "one", place_fd, "two", RENAME_NOREPLACE) < 0 && errno == EEXIST &&
           holds(place_fd, "two", "2"),
       "rename: RENAME_NOREPLACE replaces nothing");
    ok(renameat2(place_fd, "one", place_fd, "three", RENAME_NOREPLACE) == 0 &&
           holds(host_fd, "three", "1"),
       "rename: and renames otherwise");
    mkdirat(place_fd, "folder", 0755);
    create("folder/inside", "inside");
    ok(renameat2(place_fd, "folder", place_fd, "two", RENAME_EXCHANGE) == 0 &&
           holds(place_fd, "folder", "2") && holds(place_fd, "two/inside", "inside") &&
           holds(host_fd, "two/inside", "inside"),
       "rename: RENAME_EXCHANGE, a file and a folder");
    if (is_view)
        ok(renameat2(place_fd, "three", place_fd, "four", RENAME_WHITEOUT) < 0 && errno == EINVAL,
           "rename: RENAME_WHITEOUT is refused as not there");
    ok(renameat(place_fd, "two", place_fd, "two/inside/below") < 0 &&
           (errno == EINVAL || errno == ENOTDIR),
       "rename: not into itself");
    ok(linkat(place_fd, "folder", place_fd, "link", 0) == 0 &&
           renameat(place_fd, "folder", place_fd, "link") == 0 && holds(place_fd, "folder", "2") &&
           holds(place_fd, "link", "2"),
       "rename: onto a link to the same file nothing happens");
}

static void extended_status(void)
{
    struct statx found, host;
    create("status", "text");
    ok(statx(place_fd, "status", 0, STATX_BASIC_STATS | STATX_BTIME, &found) == 0 &&
           statx(host_fd, "status", 0, STATX_BASIC_STATS | STATX_BTIME, &host) == 0 &&
           (found.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS,
       "statx: all the basics");
    ok(found.stx_ino == host.stx_ino && found.stx_nlink == 1 && found.stx_size == 4 &&
           found.stx_mode == host.stx_mode && found.stx_uid == host.stx_uid &&
           found.stx_blocks == host.stx_blocks && found.stx_mtime.tv_sec == host.stx_mtime.tv_sec &&
           found.stx_mtime.tv_nsec == host.stx_mtime.tv_nsec &&
           found.stx_ctime.tv_nsec == host.stx_ctime.tv_nsec,
       "statx: inode, links, size, mode, owner, blocks and times are the source's");
    if (!is_view)
        ok(found.stx_mask & STATX_BTIME, "statx: the time of birth");
    struct timespec times[2] = {{.tv_sec = -5, .tv_nsec = 7}, {.tv_sec = 5000000000, .tv_nsec = 9}};
    ok(utimensat(place_fd, "status", times, 0) == 0 &&
           statx(place_fd, "status", 0, STATX_BASIC_STATS, &found) == 0 &&
           found.stx_atime.tv_sec == -5 && found.stx_mtime.tv_sec == 5000000000 &&
           found.stx_mtime.tv_nsec == 9,
       "times: before 1970 and after 2106, with nanoseconds");
}

static void own_attributes(void)
{
    char name[300] = "user.", path[512], *value = malloc(65536), *got = malloc(65536);
    create("attributes", "");
    snprintf(path, sizeof(path), "%s/attributes", place);
    memset(value, 'v', 65536);
    ok(setxattr(path, "user.one", "first", 5, XATTR_CREATE) == 0 &&
           getxattr(path, "user.one", got, 65536) == 5 && memcmp(got, "first", 5) == 0,
       "attributes: set and got");
    ok(setxattr(path, "user.one", "x", 1, XATTR_CREATE) < 0 && errno == EEXIST &&
           setxattr(path, "user.two", "x", 1, XATTR_REPLACE) < 0 && errno == ENODATA,
       "attributes: XATTR_CREATE and XATTR_REPLACE");
    ok(getxattr(path, "user.one", NULL, 0) == 5 && getxattr(path, "user.one", got, 2) < 0 &&
           errno == ERANGE,
       "attributes: the size is told, and a small buffer refused");
    ok(setxattr(path, "user.one", "", 0, 0) == 0 && getxattr(path, "user.one", got, 10) == 0,
       "attributes: an empty value");
    memset(name + 5, 'n', 250);
    ok(setxattr(path, name, "v", 1, 0) == 0 && getxattr(path, name, got, 10) == 1,
       "attributes: a name of 255 bytes");
    name[255] = 'n';
    ok(setxattr(path, name, "v", 1, 0) < 0 && errno == ERANGE, "attributes: and none of 256");

    /* ext4 holds a block of them, others up to 64 KiB each. */
    size_t most = 65536;
    char *native = malloc(512);
    int file = open_in(host_fd, "attributes", O_RDONLY);
    while (most && fsetxattr(file, "user.big", value, most, 0) < 0)
        most -= 64;
    fremovexattr(file, "user.big");
    close(file);
    ok(most > 0 && setxattr(path, "user.big", value, most, 0) == 0 &&
           getxattr(path, "user.big", got, 65536) == (ssize_t)most && memcmp(got, value, most) == 0,
       "attributes: a value of %zu bytes, as many as the source takes", most);
    ok(most == 65536 || (setxattr(path, "user.big", value, most + 64, 0) < 0 && errno == ENOSPC),
       "attributes: and ENOSPC for more");
    ssize_t length = listxattr(path, got, 65536);
    ok(length == (ssize_t)(sizeof("user.one") + 256 + sizeof("user.big")) &&
           memmem(got, (size_t)length, "user.big", 9),
       "attributes: listed");
    ok(removexattr(path, "user.big") == 0 && getxattr(path, "user.big", got, 10) < 0 &&
           errno == ENODATA,
       "attributes: removed");
    if (is_view)
        ok(setxattr(path, "trusted.x", "v", 1, 0) < 0 && errno == EPERM &&
               setxattr(path, "security.x", "v", 1, 0) < 0 && errno == EPERM,
           "attributes: EPERM for those that are not the user's");
    free(native);
    free(value);
    free(got);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: content PLACE HOST");
    place = argv[1];
    place_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    host_fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    is_view = strcmp(argv[1], argv[2]) != 0;
    if (place_fd < 0 || host_fd < 0)
        die("cannot open the folders");
    mapped();
    sparse();
    copied();
    renamed();
    extended_status();
    own_attributes();
    return done_testing();
}
