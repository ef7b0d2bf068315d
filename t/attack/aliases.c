/*
 * Other ways to a name: renaming what is above it, hard links, symlinks, odd names, and other
 * things put in its place. Run as: aliases SOURCE VIEW, with the rules of aliases.t: /w is `write`,
 * /r is `read`, /v is `view`, /h and "secret" in /w/top and /w/absent are `none`.
 */
#include "../tap.h"
#include "files.h"

#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *source, *view;

static char *in(const char *root, const char *name)
{
    return xasprintf("%s/%s", root, name);
}

static void make(const char *name, const char *content)
{
    cleanup_free char *path = in(source, name);
    file_write(path, content);
}

static void make_directory(const char *name)
{
    cleanup_free char *path = in(source, name);
    directory_make(path);
}

static void make_link(const char *from, const char *to)
{
    cleanup_free char *old = in(source, from), *new = in(source, to);
    must(link(old, new), new);
}

static bool source_has(const char *name, const char *content)
{
    cleanup_free char *path = in(source, name);
    return file_has(path, content);
}

static bool shows(const char *name, const char *content)
{
    cleanup_free char *path = in(view, name);
    return file_has(path, content);
}

static bool exists_in_source(const char *name)
{
    cleanup_free char *path = in(source, name);
    struct stat found;
    return lstat(path, &found) == 0;
}

static int opens(const char *name, int flags)
{
    cleanup_free char *path = in(view, name);
    int fd = open(path, flags | O_CLOEXEC, 0644);
    int failed = answer(fd);
    if (fd >= 0)
        close(fd);
    return failed;
}

static int links(const char *from, const char *to)
{
    cleanup_free char *old = in(view, from), *new = in(view, to);
    return answer(link(old, new));
}

static int renames(const char *from, const char *to, unsigned flags)
{
    cleanup_free char *old = in(view, from), *new = in(view, to);
    return answer(renameat2(AT_FDCWD, old, AT_FDCWD, new, flags));
}

#define is_errno(got, expected, ...)                                                               \
    is_string(strerrorname_np(got), strerrorname_np(expected), __VA_ARGS__)

/* --- renaming what is above --- */

static void test_renames(void)
{
    make_directory("w/top");
    make("w/top/secret", "secret\n");
    make("w/top/open", "open\n");
    make_directory("w/absent");
    make("w/absent/open", "open\n");
    make_directory("w/plain");
    make("w/plain/f", "plain\n");
    is_errno(renames("w/top", "w/other", 0), EXDEV,
             "a directory above a hidden file is not renamed");
    is_errno(renames("w/absent", "w/other", 0), EXDEV,
             "nor is one above a name that would be hidden but is not there");
    is_errno(renames("w/top", "w/other", RENAME_NOREPLACE), EXDEV, "nor with NOREPLACE");
    is_errno(renames("w/top", "w/plain", RENAME_EXCHANGE), EXDEV, "nor exchanged with another");
    is_errno(renames("w/plain", "w/top", RENAME_EXCHANGE), EXDEV, "nor the other way round");
    is_errno(renames("w/top/open", "w/top/secret", 0), EACCES, "nothing is renamed onto it");
    is_errno(renames("w/top/open", "w/top/secret", RENAME_EXCHANGE), ENOENT,
             "nor exchanged with it");
    is_errno(renames("w/plain", "h/plain", 0), ENOENT, "nor moved below what is hidden");
    is_errno(renames("w/plain", "r/plain", 0), EACCES, "nor to where only reading is allowed");
    ok(source_has("w/top/secret", "secret\n") && source_has("w/plain/f", "plain\n") &&
           !exists_in_source("w/other") && !exists_in_source("r/plain"),
       "and all is where it was");
    is_errno(renames("w/plain", "w/plainly", 0), 0,
             "a directory below which nothing changes its level is renamed");
    ok(shows("w/plainly/f", "plain\n"), "with what is in it");
}

/* A file may go from one rule's land to another's; only its own name counts. */
static void test_file_renames(void)
{
    struct stat before, after;
    make_directory("w/one");
    make("w/one/top", "file\n");
    make("w/old", "old\n");
    cleanup_free char *moved = in(source, "w/one/top");
    must(stat(moved, &before), moved);
    is_errno(renames("w/one/top", "w/absent/f", 0), 0,
             "a file moves into a directory of other rules");
    is_errno(renames("w/absent/f", "w/old", RENAME_NOREPLACE), EEXIST, "not onto a name in use");
    is_errno(renames("w/absent/f", "w/old", 0), 0, "but over it when replacing is wanted");
    cleanup_free char *end = in(source, "w/old");
    must(stat(end, &after), end);
    ok(before.st_ino == after.st_ino && after.st_nlink == 1 && source_has("w/old", "file\n") &&
           !exists_in_source("w/absent/f") && !exists_in_source("w/one/top"),
       "and is the same file, by one name");

    /* w/target is a place of other rules itself, see aliases.t. */
    make("w/replaced", "replaced\n");
    is_errno(renames("w/old", "w/target", 0), 0, "a file takes a name below which rules wait");
    is_errno(renames("w/replaced", "w/target", RENAME_EXCHANGE), EXDEV,
             "two files of different rules are not exchanged");
    is_errno(renames("w/replaced", "w/target", RENAME_NOREPLACE), EEXIST,
             "nor one replaced unasked");
    is_errno(renames("w/replaced", "w/target", 0), 0, "but when asked");
    ok(source_has("w/target", "replaced\n") && !exists_in_source("w/replaced"), "as it should be");
    make_link("w/target", "w/twin");
    is_errno(renames("w/twin", "w/target", 0), 0, "two names of one file, renamed onto each other");
    ok(exists_in_source("w/twin") && exists_in_source("w/target"),
       "both stay, as rename(2) has it");
    cleanup_free char *link = in(source, "w/symlink");
    must(symlink("nowhere", link), link);
    is_errno(renames("w/symlink", "w/target", 0), 0, "a symlink takes such a name too");
    cleanup_free char *target = in(source, "w/target");
    char content[16] = "";
    is_int(readlink(target, content, sizeof(content) - 1), 7, "and stays one");
    must(unlink(target), target);
    make_directory("w/directory");
    is_errno(renames("w/directory", "w/target", 0), EXDEV, "a directory does not");
}

/* Across rules a file gets its new name before it loses the old one. */
static void test_rename_from_locked_directory(void)
{
    cleanup_free char *folder = in(source, "w/closed"), *twin = in(source, "w/closed/f");
    struct stat found;
    if (geteuid() == 0)
        return;
    make_directory("w/closed");
    make("w/closed/f", "kept\n");
    make("w/victim", "victim\n");
    must(chmod(folder, 0555), folder);
    is_errno(renames("w/closed/f", "w/target", 0), EACCES,
             "a file that cannot lose its old name gets no new one");
    is_errno(renames("w/closed/f", "w/absent/victim", 0), EACCES, "wherever that is");
    must(stat(twin, &found), twin);
    ok(found.st_nlink == 1 && !exists_in_source("w/target"), "and is as it was");
    make("w/target", "victim\n");
    is_errno(renames("w/closed/f", "w/target", 0), EACCES, "nor does it take another's place");
    ok(source_has("w/target", "victim\n"), "which is as it was, too");
    must(chmod(folder, 0755), folder);
    cleanup_free char *target = in(source, "w/target");
    must(unlink(target), target);
}

/* The kernel believes for a second that the name is the directory that an agent is in. What is
 * renamed by then is a file, so it may take a name below which other rules wait; the directory that
 * is there later was never renamed. */
static void test_rename_of_former_directory(void)
{
    cleanup_free char *former = in(source, "w/former"), *away = in(source, "h/former");
    cleanup_free char *inner = in(view, "w/former/sub"), *target = in(source, "w/target");
    make_directory("w/former");
    make_directory("w/former/sub");
    int fd = open(inner, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(fd, inner);
    must(rename(former, away), former);
    file_write(former, "file\n");
    is_errno(renames("w/former", "w/target", 0), 0, "a file in a former directory's place moves");
    ok(source_has("w/target", "file\n"), "as a file");
    must(unlink(target), target);
    make_directory("w/target");
    make_directory("w/target/sub");
    make("w/target/sub/secret", "secret\n");
    ok(openat(fd, "secret", O_RDONLY | O_CLOEXEC) < 0 && mkdirat(fd, "made", 0755) < 0 &&
           unlinkat(fd, "secret", 0) < 0,
       "who was in that directory is not in the one that comes to the new name");
    /* Until the kernel is told that there is a directory now, it remembers the file. */
    int got = opens("w/target/sub/secret", O_RDONLY);
    for (unsigned i = 0; i < 1000 && got == ENOTDIR; i++) {
        poll(NULL, 0, 10);
        got = opens("w/target/sub/secret", O_RDONLY);
    }
    is_errno(got, ENOENT, "where the rules of the name hold");
    close(fd);
}

/* --- hard links --- */

static void test_hard_links(void)
{
    char *mapped, byte;
    make("h/f", "first\n");
    make_link("h/f", "r/linked");
    make_link("h/f", "v/linked");
    make_link("h/f", "w/linked");
    ok(shows("r/linked", "first\n"), "a file with a hidden name is read by a readable one");
    is_errno(opens("h/f", O_RDONLY), ENOENT, "not by the hidden one");
    is_errno(opens("v/linked", O_RDONLY), EACCES, "nor by one that may only be looked at");
    is_errno(opens("r/linked", O_WRONLY), EACCES, "nor written by the readable one");
    make("h/f", "second\n");
    ok(shows("r/linked", "second\n"), "a change by the hidden name is seen by the readable one");

    cleanup_free char *read_path = in(view, "r/linked"), *write_path = in(view, "w/linked");
    int read_fd = open(read_path, O_RDONLY | O_CLOEXEC);
    must(read_fd, read_path);
    mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, read_fd, 0);
    must(mapped == MAP_FAILED ? -1 : 0, "mmap");
    byte = mapped[0];
    ok(byte == 's', "and mapped by it");
    is_errno(answer(mprotect(mapped, 4096, PROT_READ | PROT_WRITE)), EACCES,
             "a mapping by the readable name cannot be made writable");
    file_write(write_path, "third\n");
    ok(source_has("h/f", "third\n") && shows("r/linked", "third\n"),
       "what is written by the writable name is read by the readable one");
    is_errno(opens("v/linked", O_RDONLY), EACCES,
             "though it is cached by another name, the one to look at shows no content");
    munmap(mapped, 4096);
    close(read_fd);
}

static void test_new_hard_links(void)
{
    make("w/own", "own\n");
    is_errno(links("r/linked", "w/stolen"), EACCES, "no writable name for what may only be read");
    is_errno(links("v/linked", "w/stolen"), EACCES, "nor for what may only be looked at");
    is_errno(links("h/f", "w/stolen"), ENOENT, "nor for what is hidden");
    is_errno(links("w/own", "r/given"), EACCES, "no readable name for what may be written");
    is_errno(links("w/own", "w/top/secret"), EACCES, "nor one where there is a hidden file");
    is_errno(links("w/own", "w/absent/secret"), EACCES, "nor where there is none");
    ok(!exists_in_source("w/stolen") && !exists_in_source("r/given"), "and none was made");
    is_errno(links("w/own", "w/second"), 0, "a second writable name is");
}

/* --- symlinks --- */

static void test_symlinks(void)
{
    static const char *const made[][2] = {
        {"../h/f", "w/to-file"}, {"../h", "w/to-directory"}, {"top/secret", "w/to-name"}};
    for (size_t i = 0; i < 3; i++) {
        cleanup_free char *path = in(source, made[i][1]);
        must(symlink(made[i][0], path), path);
    }
    is_errno(opens("w/to-file", O_RDONLY), ENOENT, "a symlink to a hidden file leads nowhere");
    is_errno(opens("w/to-directory/f", O_RDONLY), ENOENT, "one to a hidden directory neither");
    is_errno(opens("w/to-name", O_RDONLY), ENOENT, "nor one to a hidden name");
    is_errno(opens("w/to-file", O_WRONLY | O_CREAT | O_TRUNC), ENOENT,
             "and nothing is made at its end");
    cleanup_free char *own = in(view, "w/own-link");
    must(symlink("../v/linked", own), own);
    is_errno(opens("w/own-link", O_RDONLY), EACCES,
             "a symlink that the agent made gives no more than its target's level");
    ok(source_has("h/f", "third\n"), "what they point to is unchanged");
}

/* --- names --- */

static void test_names(void)
{
    struct stat found;
    cleanup_free char *folder = in(view, "w");
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    must(fd, folder);
    static const char *const names[] = {"../h/f",      "./../h/f", "top/../../h/f", "//..//h//f",
                                        "../w/../h/f", "../h/",    "../h/.",        "top/secret/"};
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int got = answer(fstatat(fd, names[i], &found, 0));
        if (got != ENOENT) {
            wrong++;
            diag("%s: %s", names[i], strerrorname_np(got));
        }
    }
    ok(wrong == 0, "no spelling with dots and slashes leads to what is hidden");
    char name[1100];
    memset(name, 'x', sizeof(name));
    name[256] = '\0';
    is_errno(answer(mkdirat(fd, name, 0755)), ENAMETOOLONG, "a name of 256 bytes is too long");
    memcpy(name, "secret", 6);
    cleanup_free char *hidden = xasprintf("top/%s", name);
    is_errno(answer(fstatat(fd, hidden, &found, 0)), ENAMETOOLONG, "wherever it stands");
    close(fd);
}

/* --- something else in the place of a file --- */

static bool is_waiting(pid_t child)
{
    return waitpid(child, NULL, WNOHANG) == 0;
}

/* The kernel believes for a second that the name is a file: the open reaches the server. */
static void swap_in(const char *other)
{
    cleanup_free char *file = in(source, "w/swapped"), *path = in(source, other);
    struct stat found;
    cleanup_free char *seen = in(view, "w/swapped");
    unlink(file);
    file_write(file, "fine\n");
    for (unsigned i = 0; i < 1000 && !(stat(seen, &found) == 0 && S_ISREG(found.st_mode)); i++)
        poll(NULL, 0, 10);
    must(S_ISREG(found.st_mode) ? 0 : -1, "the file is seen");
    must(rename(path, file), file);
}

/* S, for a child that does nothing else: it waits in open(2). */
static bool sleeps(pid_t child)
{
    char status[256];
    cleanup_free char *path = xasprintf("/proc/%d/stat", child);
    const char *state = file_read(path, status, sizeof(status)) ? NULL : strrchr(status, ')');
    return state && state[2] == 'S';
}

/* A child that opens the FIFO for writing, and waits for a reader. */
static pid_t start_writer(const char *fifo)
{
    int fd = open(fifo, O_PATH | O_CLOEXEC);
    must(fd, fifo);
    cleanup_free char *path = xasprintf("/proc/self/fd/%d", fd);
    pid_t writer = fork();
    if (writer == 0) {
        file_write(path, "canary\n");
        _exit(0);
    }
    must(writer, "fork");
    close(fd);
    for (unsigned i = 0; i < 1000 && !sleeps(writer); i++)
        poll(NULL, 0, 10);
    must(sleeps(writer) ? 0 : -1, "the writer waits");
    return writer;
}

static void test_fifo(void)
{
    cleanup_free char *fifo = in(source, "w/fifo");
    must(mkfifo(fifo, 0644), fifo);
    pid_t writer = start_writer(fifo);
    swap_in("w/fifo");
    /* The kernel then looks again and opens a FIFO of the view's own. */
    int got = opens("w/swapped", O_RDONLY | O_NONBLOCK);
    ok(got == 0 || got == ENXIO, "a FIFO that took a file's name is opened as the view's own");
    is_errno(opens("w/swapped", O_WRONLY | O_NONBLOCK), ENXIO, "which nobody reads");
    ok(shows("w/own", "own\n"), "the view serves on");
    ok(is_waiting(writer),
       "and who waits at the source's FIFO waits on: the server never opened it");
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
}

static void test_device(void)
{
    char content[16];
    cleanup_free char *device = in(source, "w/device"), *seen = in(view, "w/swapped");
    if (mknod(device, S_IFCHR | 0666, makedev(1, 5)) < 0) {
        note("no device: %s", strerrorname_np(errno));
        return;
    }
    swap_in("w/device");
    int got = file_read(seen, content, sizeof(content));
    is_errno(got, EACCES, "a device that took a file's name is not opened, as on any nodev mount");
    is_errno(answer(truncate(seen, 0)), EINVAL, "nor truncated");
}

static void test_socket(void)
{
    cleanup_free char *place = in(source, "w/socket");
    must(mknod(place, S_IFSOCK | 0644, 0), place);
    swap_in("w/socket");
    is_errno(opens("w/swapped", O_RDONLY), ENXIO, "a socket that took a file's name is not opened");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "aliases: run me as: aliases SOURCE VIEW\n");
        return 2;
    }
    source = argv[1];
    view = argv[2];
    umask(022);
    alarm(60);
    test_renames();
    test_file_renames();
    test_rename_from_locked_directory();
    test_rename_of_former_directory();
    test_hard_links();
    test_new_hard_links();
    test_symlinks();
    test_names();
    test_fifo();
    test_device();
    test_socket();
    return done_testing();
}
