/*
 * Takes all that a view has to give: descriptors of its server, record locks, room for listings.
 * Each ends with an errno that says so, and what is given back can be had again. Run as:
 * exhaust descriptors|listings VIEW, which holds a file "f", a directory "large" of many long names
 * that is read anew each time, and a hidden name "hidden".
 */
#include "../tap.h"
#include "files.h"

#include "scopefs/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_MOST = 4000 };

static const char *view;
static int held[AT_MOST];
static unsigned held_count;

#define is_errno(got, expected, ...)                                                               \
    is_string(strerrorname_np(got), strerrorname_np(expected), __VA_ARGS__)

static char *in_view(const char *name)
{
    return xasprintf("%s/%s", view, name);
}

static int opens(const char *name, int flags)
{
    cleanup_free char *path = in_view(name);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int failed = answer(fd);
    if (fd >= 0)
        close(fd);
    return failed;
}

/* 0, or the errno of the open that failed; the descriptor is kept. */
static int hold(const char *name, int flags)
{
    cleanup_free char *path = in_view(name);
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return errno;
    held[held_count++] = fd;
    return 0;
}

/* The server hears of a close a moment later. */
static void let_go(const char *what)
{
    int failed = 0;
    while (held_count > 0)
        close(held[--held_count]);
    for (unsigned i = 0; i < 1000 && (failed = opens("f", O_RDWR)); i++)
        poll(NULL, 0, 10);
    is_errno(failed, 0, "%s: when they are closed, all is well again", what);
}

static void take_handles(void)
{
    cleanup_free char *folder = in_view("folder"), *hidden = in_view("hidden");
    struct stat found;
    int failed = 0;
    while (held_count < AT_MOST && !failed)
        failed = hold("f", O_RDONLY);
    is_errno(failed, ENFILE, "open files: the one too many is told so");
    is_errno(answer(mkdir(folder, 0700)), ENFILE, "nor can anything else be done meanwhile");
    is_errno(answer(stat(hidden, &found)), ENOENT, "and what is hidden answers as ever");
    let_go("open files");
}

/* Each description has a lock of its own. */
static int lock_last(void)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    return answer(fcntl(held[held_count - 1], F_OFD_SETLK, &lock));
}

static void take_locks(void)
{
    int at_open = 0, at_lock = 0;
    while (held_count < AT_MOST && !at_open && !at_lock) {
        at_open = hold("f", O_RDONLY);
        at_lock = at_open ? 0 : lock_last();
    }
    ok(at_open == ENFILE || at_lock == ENOLCK, "locks: the one too many is told so (%s, %s)",
       strerrorname_np(at_open), strerrorname_np(at_lock));
    let_go("locks");
}

/* Who lists a directory has no part of the server's memory to himself. */
static void take_listings(void)
{
    enum { READERS = 64, FILES = 2000 };
    DIR *listings[READERS];
    cleanup_free char *path = in_view("large");
    unsigned count = 0, left = 0;
    int failed = 0;
    while (count < READERS && !failed) {
        listings[count] = opendir(path);
        if (!listings[count])
            break;
        errno = 0;
        failed = readdir(listings[count++]) ? 0 : errno;
    }
    is_errno(failed, 0, "listings: %u are read at a time", count);
    while (count > 0 && readdir(listings[0]))
        left++;
    is_int(left, FILES + 1, "and the first of them to its end");
    while (count > 0)
        closedir(listings[--count]);
    let_go("listings");
}

int main(int argc, char **argv)
{
    struct rlimit files = {AT_MOST + 100, AT_MOST + 100};
    if (argc != 3) {
        fprintf(stderr, "exhaust: run me as: exhaust descriptors|listings VIEW\n");
        return 2;
    }
    view = argv[2];
    must(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
    alarm(600);
    if (strcmp(argv[1], "listings") == 0) {
        take_listings();
        return done_testing();
    }
    take_handles();
    take_locks();
    return done_testing();
}
