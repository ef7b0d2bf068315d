/*
 * What is open stays usable, whatever happens to its name. Usage: handles PLACE HOST, where PLACE
 * is a folder to work in and HOST the same folder as the host has it; both are the same for ext4
 * itself.
 */
#include "worker.h"

#include "../tap.h"

#include <errno.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int place_fd, host_fd;
static bool is_view;

static int open_new(const char *name, int flags, const char *text)
{
    int fd = openat(place_fd, name, flags | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        die("cannot create %s", name);
    if (text && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        die("cannot write %s", name);
    return fd;
}

static bool reads(int fd, const char *expected)
{
    char text[4096];
    ssize_t got = pread(fd, text, sizeof(text), 0);
    return got == (ssize_t)strlen(expected) && memcmp(text, expected, (size_t)got) == 0;
}

static bool host_reads(const char *name, const char *expected)
{
    int fd = openat(host_fd, name, O_RDONLY | O_CLOEXEC);
    bool same = fd >= 0 && reads(fd, expected);
    if (fd >= 0)
        close(fd);
    return same;
}

static off_t size_of(int fd)
{
    struct stat found;
    return fstat(fd, &found) < 0 ? -1 : found.st_size;
}

/* All that a descriptor of a file without a name can do. */
static void use_nameless(int fd, const char *how)
{
    struct stat found;
    ok(fstat(fd, &found) == 0 && found.st_nlink == 0, "%s: fstat tells that no name is left", how);
    ok(pwrite(fd, "changed", 7, 0) == 7 && reads(fd, "changed"), "%s: write and read", how);
    ok(ftruncate(fd, 4) == 0 && reads(fd, "chan"), "%s: ftruncate", how);
    ok(fchmod(fd, 0600) == 0 && fstat(fd, &found) == 0 && (found.st_mode & 0777) == 0600,
       "%s: fchmod", how);
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    ok(futimens(fd, times) == 0 && fstat(fd, &found) == 0 && found.st_mtime == 2000, "%s: futimens",
       how);
    ok(fsync(fd) == 0 && fdatasync(fd) == 0, "%s: fsync", how);
    ok(fallocate(fd, 0, 0, 8192) == 0 && size_of(fd) == 8192, "%s: fallocate", how);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) {
        memcpy(map + 5000, "mapped", 6);
        msync(map, 8192, MS_SYNC);
        munmap(map, 8192);
    }
    char text[8] = "";
    ok(pread(fd, text, 6, 5000) == 6 && strcmp(text, "mapped") == 0, "%s: a mapping", how);

    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int again = open(link, O_RDWR | O_CLOEXEC);
    ok(again >= 0 && pwrite(again, "again", 5, 0) == 5 && pread(fd, text, 5, 0) == 5 &&
           memcmp(text, "again", 5) == 0,
       "%s: opened again through /proc/self/fd", how);
    int truncated = open(link, O_WRONLY | O_TRUNC | O_CLOEXEC);
    ok(truncated >= 0 && size_of(fd) == 0, "%s: and with O_TRUNC", how);
    close(again);
    close(truncated);
}

static void unlinked(void)
{
    int fd = open_new("unlinked", O_RDWR, "text");
    unlinkat(place_fd, "unlinked", 0);
    ok(faccessat(place_fd, "unlinked", F_OK, 0) < 0 && errno == ENOENT,
       "unlinked: the name is gone at once");
    use_nameless(fd, "unlinked");
    int other = open_new("unlinked", O_RDWR, "new");
    ok(reads(other, "new") && size_of(fd) == 0, "unlinked: a new file of that name is another");
    close(fd);
    ok(reads(other, "new"), "unlinked: closing the old one does not touch the new one");
    close(other);
}

static void renamed_over(void)
{
    int old = open_new("target", O_RDWR, "old");
    int new = open_new("source", O_RDWR, "new");
    ok(renameat(place_fd, "source", place_fd, "target") == 0 && reads(old, "old") &&
           reads(new, "new") && host_reads("target", "new"),
       "renamed over: both are what they were");
    use_nameless(old, "renamed over");
    ok(pwrite(new, "more", 4, 0) == 4 && host_reads("target", "more"),
       "renamed over: the new one is written by its descriptor");
    close(old);
    close(new);
}

static void renamed_away(void)
{
    int fd = open_new("first", O_RDWR, "text");
    mkdirat(place_fd, "folder", 0755);
    renameat(place_fd, "first", place_fd, "folder/second");
    ok(pwrite(fd, "TEXT", 4, 0) == 4 && fchmod(fd, 0640) == 0 && ftruncate(fd, 2) == 0 &&
           host_reads("folder/second", "TE"),
       "renamed: the descriptor follows");
    int kept = openat(place_fd, "folder", O_PATH | O_DIRECTORY | O_CLOEXEC);
    renameat(place_fd, "folder", place_fd, "moved");
    int through = openat(kept, "second", O_RDONLY | O_CLOEXEC);
    ok(through >= 0 && reads(through, "TE"), "renamed: so does a descriptor of the folder");
    close(through);
    close(kept);
    close(fd);
}

static void path_only(void)
{
    struct stat found;
    int file = open_new("path", O_RDWR, "text");
    int fd = openat(place_fd, "path", O_PATH | O_CLOEXEC);
    ok(fstat(fd, &found) == 0 && found.st_size == 4, "O_PATH: fstat");
    char byte;
    ok(read(fd, &byte, 1) < 0 && errno == EBADF, "O_PATH: no read");
    unlinkat(place_fd, "path", 0);
    ok(fstat(fd, &found) == 0 && found.st_nlink == 0, "O_PATH: fstat of an unlinked, open file");
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int again = open(link, O_RDONLY | O_CLOEXEC);
    ok(again >= 0 && reads(again, "text"), "O_PATH: opened through /proc/self/fd");
    close(again);
    close(file);
    ok(fstat(fd, &found) == 0 && found.st_size == 4, "O_PATH: fstat when it is the only one left");
    again = open(link, O_RDONLY | O_CLOEXEC);
    ok(again >= 0 && reads(again, "text"), "O_PATH: opened when it is the only one left");
    close(again);
    close(fd);

    if (symlinkat("nowhere", place_fd, "dangling") < 0)
        die("symlink");
    fd = openat(place_fd, "dangling", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char target[16] = "";
    ok(fstat(fd, &found) == 0 && S_ISLNK(found.st_mode) &&
           readlinkat(fd, "", target, sizeof(target)) == 7,
       "O_PATH: of a symlink");
    close(fd);
}

static void without_name(void)
{
    int fd = openat(place_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && is_view) {
        ok(errno == EOPNOTSUPP, "O_TMPFILE: refused as programs expect it");
        return;
    }
    char link[64];
    struct stat by_name, by_fd;
    use_nameless(fd, "O_TMPFILE");
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ok(pwrite(fd, "text", 4, 0) == 4 && ftruncate(fd, 4) == 0 &&
           linkat(AT_FDCWD, link, place_fd, "named", AT_SYMLINK_FOLLOW) == 0 &&
           host_reads("named", "text"),
       "O_TMPFILE: written, then given a name");
    ok(fstatat(place_fd, "named", &by_name, 0) == 0 && fstat(fd, &by_fd) == 0 &&
           by_name.st_ino == by_fd.st_ino && by_name.st_nlink == 1 && by_fd.st_nlink == 1 &&
           (by_name.st_mode & 07777) == 0600,
       "O_TMPFILE: which is the same file");
    ok(pwrite(fd, "TEXT", 4, 0) == 4 && host_reads("named", "TEXT") &&
           renameat(place_fd, "named", place_fd, "renamed") == 0 && fchmod(fd, 0640) == 0 &&
           fstatat(host_fd, "renamed", &by_name, 0) == 0 && (by_name.st_mode & 07777) == 0640,
       "O_TMPFILE: and lives on like any other");
    close(fd);

    fd = openat(place_fd, ".", O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ok(fd >= 0 && write(fd, "text", 4) == 4 &&
           linkat(AT_FDCWD, link, place_fd, "never", AT_SYMLINK_FOLLOW) < 0 && errno == ENOENT,
       "O_TMPFILE: with O_EXCL it never gets a name");
    close(fd);
}

static int run_program(const char *name)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execveat(place_fd, name, (char *const[]){(char *)name, NULL}, environ, 0);
        _exit(errno == ETXTBSY ? 26 : 99);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

/* Both directions: what is written is not run, and what runs is not written. */
static void program_is_busy(void)
{
    int from = open("/bin/cat", O_RDONLY | O_CLOEXEC);
    int fd = open_new("program", O_WRONLY, NULL);
    char bytes[65536];
    for (ssize_t got; (got = read(from, bytes, sizeof(bytes))) > 0;)
        if (write(fd, bytes, (size_t)got) != got)
            die("cannot copy a program");
    fchmod(fd, 0755);
    is_int(run_program("program"), 26, "ETXTBSY: a file that is open for writing is not run");
    close(fd);

    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        die("pipe");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execveat(place_fd, "program", (char *const[]){(char *)"program", NULL}, environ, 0);
        _exit(99);
    }
    /* It runs when it answers. */
    char byte = 'x';
    bool runs = write(in[1], &byte, 1) == 1 && read(out[0], &byte, 1) == 1;
    fd = openat(place_fd, "program", O_WRONLY | O_CLOEXEC);
    ok(runs && fd < 0 && errno == ETXTBSY, "ETXTBSY: a program that runs is not written");
    if (fd >= 0)
        close(fd);
    close(in[1]);
    waitpid(child, NULL, 0);
    close(in[0]);
    close(out[0]);
    close(out[1]);
    close(from);
}

static void without_cache(void)
{
    int fd = openat(place_fd, "direct", O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0644);
    char *block = aligned_alloc(4096, 8192);
    memset(block, 'd', 8192);
    ok(fd >= 0 && pwrite(fd, block, 8192, 0) == 8192 && size_of(fd) == 8192, "O_DIRECT: write");
    memset(block, 0, 8192);
    ok(pread(fd, block, 4096, 4096) == 4096 && block[0] == 'd' && block[4095] == 'd',
       "O_DIRECT: read");
    int cached = openat(place_fd, "direct", O_RDWR | O_CLOEXEC);
    bool mixed = pwrite(cached, "cached", 6, 0) == 6 && pread(fd, block, 4096, 0) == 4096 &&
                 memcmp(block, "cachedd", 7) == 0;
    memset(block, 'e', 4096);
    mixed = mixed && pwrite(fd, block, 4096, 0) == 4096 && pread(cached, block, 10, 0) == 10 &&
            memcmp(block, "eeeeeeeeee", 10) == 0;
    ok(mixed, "O_DIRECT: agrees with the cache of another descriptor");
    free(block);
    close(cached);
    close(fd);
}

static void removed_folder(void)
{
    char path[4096];
    struct stat found;
    mkdirat(place_fd, "here", 0755);
    int back = open(".", O_PATH | O_CLOEXEC), here = openat(place_fd, "here", O_RDONLY | O_CLOEXEC);
    if (fchdir(here) < 0 || unlinkat(place_fd, "here", AT_REMOVEDIR) < 0)
        die("cannot remove a folder");
    ok(stat(".", &found) == 0 && S_ISDIR(found.st_mode), "removed folder: stat of it");
    ok(open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0 && errno == ENOENT,
       "removed folder: nothing is created in it");
    ok(mkdir("folder", 0755) < 0 && errno == ENOENT, "removed folder: no folder either");
    ok(access("file", F_OK) < 0 && errno == ENOENT, "removed folder: nothing is found in it");
    ok(!getcwd(path, sizeof(path)) && errno == ENOENT, "removed folder: getcwd tells");
    ok(fchdir(back) == 0, "removed folder: left again");
    close(back);
    close(here);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: handles PLACE HOST");
    place_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    host_fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    is_view = strcmp(argv[1], argv[2]) != 0;
    if (place_fd < 0 || host_fd < 0)
        die("cannot open the folders");
    unlinked();
    renamed_over();
    renamed_away();
    path_only();
    without_name();
    program_is_busy();
    without_cache();
    removed_folder();
    return done_testing();
}
