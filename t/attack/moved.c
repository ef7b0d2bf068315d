/*
 * What others do to the source while an agent is in it: directories and files are renamed away, out
 * of the source, to another level, or replaced. The rule of the path that a thing has now governs
 * every later operation by name. Run as: moved SOURCE VIEW MOVER OUTSIDE, where MOVER is the
 * source, or another view of it that may write everything.
 *
 * The view's rules: /w is `write`, /r is `read`, /v is `view`, and /h, like all else, is `none`.
 */
#include "../tap.h"
#include "files.h"

#include "scopefs/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static const char *source, *view, *mover, *outside;

static char *in(const char *root, const char *name)
{
    return xasprintf("%s/%s", root, name);
}

static void move(const char *from, const char *to)
{
    cleanup_free char *old = in(mover, from), *new = in(mover, to);
    must(rename(old, new), from);
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

static bool source_has(const char *name, const char *content)
{
    cleanup_free char *path = in(source, name);
    return file_has(path, content);
}

static unsigned source_count(const char *name)
{
    cleanup_free char *path = in(source, name);
    return directory_count(path);
}

static int open_in_view(const char *name, int flags)
{
    cleanup_free char *path = in(view, name);
    int fd = open(path, flags | O_CLOEXEC);
    must(fd, path);
    return fd;
}

/* Waits until the name is seen in the view (or gone from it): the kernel may hold what it knew for
 * a second. False after ten. */
static bool becomes(const char *name, int expected)
{
    cleanup_free char *path = in(view, name);
    struct stat found;
    for (unsigned i = 0; i < 1000; i++) {
        if (answer(stat(path, &found)) == expected)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

static bool is_gone(int number)
{
    return number == ENOENT || number == ESTALE;
}

/* A directory held in every way an agent has. */
struct hold {
    int fd;      /* open for listing */
    int path_fd; /* O_PATH */
    int file_fd; /* "f" in it, open to read and write */
};

static struct hold hold(const char *name)
{
    cleanup_free char *path = in(view, name), *file = xasprintf("%s/f", name);
    must(chdir(path), path);
    return (struct hold){
        .fd = open_in_view(name, O_RDONLY | O_DIRECTORY),
        .path_fd = open_in_view(name, O_PATH),
        .file_fd = open_in_view(file, O_RDWR),
    };
}

static void let_go(struct hold *held)
{
    must(chdir("/"), "chdir");
    close(held->fd);
    close(held->path_fd);
    close(held->file_fd);
}

static void check_gone(int got, const char *what, unsigned *wrong)
{
    if (is_gone(got))
        return;
    diag("%s: got %s", what, strerrorname_np(got));
    (*wrong)++;
}

/* The kernel may open a directory without asking; what is in it is asked for. */
static int list_directory(int at)
{
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return errno;
    errno = 0;
    int failed = readdir(directory) ? 0 : errno;
    closedir(directory);
    return failed;
}

/* Nothing can be reached by name through the directory, neither read nor made. */
static void check_dead(const struct hold *held, const char *what)
{
    const int places[] = {AT_FDCWD, held->fd, held->path_fd};
    char content[16];
    unsigned wrong = 0;
    for (size_t i = 0; i < 3; i++) {
        int at = places[i];
        struct stat found;
        check_gone(answer(openat(at, "f", O_RDONLY)), "open", &wrong);
        check_gone(answer(openat(at, "f", O_WRONLY | O_TRUNC)), "truncate", &wrong);
        check_gone(answer(fstatat(at, "unseen", &found, 0)), "stat", &wrong);
        check_gone(answer(openat(at, "made", O_WRONLY | O_CREAT, 0644)), "create", &wrong);
        check_gone(answer(mkdirat(at, "made", 0755)), "mkdir", &wrong);
        check_gone(answer(symlinkat("f", at, "made")), "symlink", &wrong);
        check_gone(answer(unlinkat(at, "f", 0)), "unlink", &wrong);
        check_gone(answer(renameat(at, "f", at, "other")), "rename", &wrong);
        check_gone(answer(fchmodat(at, "f", 0600, 0)), "chmod", &wrong);
        check_gone(list_directory(at), "list the directory", &wrong);
    }
    check_gone(file_read("f", content, sizeof(content)), "read", &wrong);
    ok(wrong == 0, "%s: nothing is reached by name through what an agent held", what);
}

static void check_moved_away(const char *from, const char *to, const char *what)
{
    cleanup_free char *file = xasprintf("%s/f", from), *moved = xasprintf("%s/f", to);
    cleanup_free char *unseen = xasprintf("%s/unseen", from);
    char content[16];
    make_directory(from);
    make(file, "old\n");
    make(unseen, "unseen\n");
    struct hold held = hold(from);
    move(from, to);
    check_dead(&held, what);
    ok(source_has(moved, "old\n") && source_count(to) == 2, "%s: and nothing there was changed",
       what);
    is_int(pread(held.file_fd, content, sizeof(content), 0), 4,
           "%s: a file held open can be read on", what);
    let_go(&held);
}

static void test_hidden(void)
{
    check_moved_away("w/to-hidden", "h/moved", "a directory moved to a hidden place");
}

static void test_out(void)
{
    cleanup_free char *from = in(source, "w/out"), *to = in(outside, "out");
    cleanup_free char *file = in(outside, "out/f");
    make_directory("w/out");
    make("w/out/f", "old\n");
    struct hold held = hold("w/out");
    must(rename(from, to), from);
    check_dead(&held, "a directory moved out of the source");
    ok(file_has(file, "old\n") && directory_count(to) == 1,
       "a directory moved out of the source: and nothing there was changed");
    ok(is_gone(answer(openat(held.fd, "../canary", O_RDONLY))), "nor does '..' lead out after it");
    let_go(&held);
}

/* To a place with a lower level: by the new name, that one counts. */
static void test_lowered(void)
{
    cleanup_free char *file = in(view, "r/lowered/f");
    check_moved_away("w/lowered", "r/lowered", "a directory moved to where it can only be read");
    ok(becomes("r/lowered", 0) && file_has(file, "old\n"), "by its new name it can be read");
    is_int(answer(open(file, O_WRONLY)), EACCES, "but not written");
}

static void test_into(void)
{
    cleanup_free char *file = in(view, "w/into/f");
    make_directory("h/into");
    make("h/into/f", "shown\n");
    move("h/into", "w/into");
    ok(becomes("w/into", 0) && file_has(file, "shown\n"),
       "a directory moved in from a hidden place has the level of its new place");
}

/* --- a file --- */

static int reopen(int fd, int flags)
{
    cleanup_free char *path = xasprintf("/proc/self/fd/%d", fd);
    int again = open(path, flags | O_CLOEXEC);
    int failed = answer(again);
    if (again >= 0)
        close(again);
    return failed;
}

static int link_from(int fd, const char *name)
{
    cleanup_free char *path = xasprintf("/proc/self/fd/%d", fd), *to = in(view, name);
    return answer(linkat(AT_FDCWD, path, AT_FDCWD, to, AT_SYMLINK_FOLLOW));
}

static void check_file_moved(const char *to, const char *what)
{
    unsigned wrong = 0;
    struct stat before, after;
    cleanup_free char *path = in(view, "w/file"), *moved = in(source, to);
    make("w/file", "old\n");
    ok(becomes("w/file", 0), "%s: it is seen before", what);
    int read_fd = open_in_view("w/file", O_RDONLY), write_fd = open_in_view("w/file", O_RDWR);
    move("w/file", to);
    must(stat(moved, &before), moved);
    /* The kernel still knows the old name: each of these reaches the view. */
    check_gone(answer(chmod(path, 0600)), "chmod by the old name", &wrong);
    check_gone(answer(truncate(path, 0)), "truncate by the old name", &wrong);
    check_gone(answer(setxattr(path, "user.x", "x", 1, 0)), "setxattr by the old name", &wrong);
    check_gone(answer(open(path, O_RDONLY)), "open by the old name", &wrong);
    check_gone(reopen(read_fd, O_RDONLY), "open to read again", &wrong);
    check_gone(reopen(read_fd, O_WRONLY), "open to write by a descriptor to read", &wrong);
    check_gone(reopen(write_fd, O_WRONLY), "open to write again", &wrong);
    check_gone(link_from(read_fd, "w/alias"), "link", &wrong);
    check_gone(answer(fchmod(read_fd, 0600)), "fchmod", &wrong);
    check_gone(answer(fsetxattr(read_fd, "user.x", "x", 1, 0)), "fsetxattr", &wrong);
    ok(wrong == 0, "%s: no new way to it through what an agent held", what);
    must(stat(moved, &after), moved);
    ok(before.st_mode == after.st_mode && before.st_nlink == after.st_nlink &&
           before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
           before.st_ctim.tv_nsec == after.st_ctim.tv_nsec && source_has(to, "old\n"),
       "%s: and it was not changed", what);
    close(read_fd);
    close(write_fd);
}

/* --- replaced by another object --- */

static void test_replaced(void)
{
    cleanup_free char *path = in(view, "w/replaced");
    unsigned wrong = 0;
    make("w/replaced", "old\n");
    ok(becomes("w/replaced", 0), "a file is seen before it is replaced");
    int fd = open_in_view("w/replaced", O_RDWR);
    char *mapped = mmap(NULL, 4, PROT_READ, MAP_SHARED, fd, 0);
    must(mapped == MAP_FAILED ? -1 : 0, "mmap");
    for (unsigned i = 0; i < 50; i++) {
        char content[16], found[16];
        snprintf(content, sizeof(content), "new %u\n", i);
        make("w/next", content);
        move("w/next", "w/replaced");
        int failed = file_read(path, found, sizeof(found));
        if (failed || strcmp(found, content) != 0) {
            wrong++;
            diag("expected %s, got %s (%d)", content, found, failed);
        }
    }
    ok(wrong == 0,
       "a file replaced 50 times never shows old content by its name, though the first is "
       "held open and mapped");
    ok(memcmp(mapped, "old\n", 4) == 0, "while what was mapped stays what it was");
    munmap(mapped, 4);
    close(fd);
}

/* What is held is the old file, which lives on while it is open; the one by its name is another. */
static void test_held_and_replaced(void)
{
    struct stat before, after;
    cleanup_free char *path = in(source, "w/other");
    make("w/other", "old\n");
    ok(becomes("w/other", 0), "a file is held before it is replaced");
    int path_fd = open_in_view("w/other", O_PATH), read_fd = open_in_view("w/other", O_RDONLY);
    cleanup_free char *held = xasprintf("/proc/self/fd/%d", path_fd);
    make("w/next", "new\n");
    move("w/next", "w/other");
    must(stat(path, &before), path);
    bool done[] = {chmod(held, 0600) == 0, truncate(held, 0) == 0, fchmod(read_fd, 0640) == 0,
                   setxattr(held, "user.x", "x", 1, 0) == 0};
    ok(is_gone(link_from(path_fd, "w/alias")), "when it is replaced it gets no other name");
    must(stat(path, &after), path);
    ok(before.st_mode == after.st_mode && before.st_nlink == after.st_nlink &&
           before.st_ctim.tv_nsec == after.st_ctim.tv_nsec && source_has("w/other", "new\n"),
       "and what is done to it (%d%d%d%d) is not done to the file in its place", done[0], done[1],
       done[2], done[3]);
    close(path_fd);
    close(read_fd);
}

/* In place of a directory that an agent works in comes another: its path has a rule, and by that it
 * is used. What was in the old one, now hidden, cannot be reached. */
static void test_replaced_directory(void)
{
    make_directory("w/directory");
    make("w/directory/f", "old\n");
    make("w/directory/secret", "secret\n");
    struct hold held = hold("w/directory");
    move("w/directory", "h/directory");
    make_directory("w/directory");
    make("w/directory/g", "new\n");
    ok(becomes("w/directory/g", 0), "a directory is replaced by another");
    ok(openat(held.fd, "secret", O_RDONLY) < 0 && openat(AT_FDCWD, "secret", O_RDONLY) < 0,
       "what was in the old one is out of reach");
    int fd = openat(held.path_fd, "made", O_WRONLY | O_CREAT, 0644);
    if (fd >= 0)
        close(fd);
    is_int(source_count("h/directory"), 2, "and nothing can be put there");
    let_go(&held);
}

/* A listing that was begun is finished from its snapshot. Begun again it is refused, or the kernel
 * tells from its memory what it told before; what is new is never told. */
static void test_listing(void)
{
    make_directory("w/listed");
    make("w/listed/f", "old\n");
    struct hold held = hold("w/listed");
    DIR *directory = fdopendir(dup(held.fd));
    must(directory ? 0 : -1, "fdopendir");
    unsigned before = 0;
    bool told = false;
    while (readdir(directory))
        before++;
    move("w/listed", "h/listed");
    make("h/listed/secret", "secret\n");
    rewinddir(directory);
    for (const struct dirent *entry; (entry = readdir(directory));)
        told = told || strcmp(entry->d_name, "secret") == 0;
    ok(before == 3 && !told, "an open directory that is moved to a hidden place lists nothing new");
    closedir(directory);
    let_go(&held);
}

/* Events come from what is done in the view alone. */
static void test_watch(void)
{
    make_directory("w/watched");
    make("w/watched/f", "old\n");
    cleanup_free char *path = in(view, "w/watched");
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    must(inotify_add_watch(fd, path, IN_ALL_EVENTS), path);
    move("w/watched", "h/watched");
    make("h/watched/secret", "secret\n");
    cleanup_free char *other = in(mover, "h/watched/second");
    file_write(other, "second\n");
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    char events[4096];
    bool told = false;
    while (poll(&wanted, 1, 200) > 0) {
        ssize_t got = read(fd, events, sizeof(events));
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const void *)(events + at);
            told = told || event->len > 0;
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    ok(!told, "a watched directory that is moved to a hidden place tells no names");
    close(fd);
}

int main(int argc, char **argv)
{
    static const char *const directories[] = {"w", "r", "v", "h"};
    if (argc != 5) {
        fprintf(stderr, "moved: run me as: moved SOURCE VIEW MOVER OUTSIDE\n");
        return 2;
    }
    source = argv[1];
    view = argv[2];
    mover = argv[3];
    outside = argv[4];
    umask(022);
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
        make_directory(directories[i]);
    test_hidden();
    test_out();
    test_lowered();
    test_into();
    check_file_moved("h/file", "a file moved to a hidden place");
    check_file_moved("r/file", "a file moved to where it can only be read");
    check_file_moved("v/file", "a file moved to where it can only be looked at");
    test_replaced();
    test_held_and_replaced();
    test_replaced_directory();
    test_listing();
    test_watch();
    return done_testing();
}
