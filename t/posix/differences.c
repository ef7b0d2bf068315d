/*
 * What a view does otherwise than the source's file system, row by row of the table in
 * scopefs-posix(7): that the rows are true. Usage: differences PLACE OTHER, where both are the same
 * folder: of two views, or twice as the file system itself has it.
 */
#include "worker.h"

#include "../tap.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096 };

static const char *place;
static int place_fd, elsewhere_fd;
static bool is_view;

static int open_new(const char *name)
{
    static const char bytes[4 * BLOCK];
    int fd = openat(place_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
        die("cannot create %s", name);
    return fd;
}

/* Natively the call succeeds, so the test asks for something that there is; ext4 has all of it, and
 * others say of what they have not got that it is not supported. */
static void differs(bool succeeded, int expected, const char *what)
{
    int failed = succeeded ? 0 : errno;
    if (is_view)
        is_int(failed, expected, "%s: %s", what, strerrorname_np(expected));
    else
        ok(succeeded || failed == EOPNOTSUPP || failed == ENOTTY, "%s: works", what);
}

static void devices(void)
{
    if (geteuid() != 0)
        return;
    differs(mknodat(place_fd, "null", S_IFCHR | 0600, makedev(1, 3)) == 0, EPERM,
            "a character device");
    differs(mknodat(place_fd, "disk", S_IFBLK | 0600, makedev(7, 0)) == 0, EPERM, "a block device");
    unlinkat(place_fd, "null", 0);
    unlinkat(place_fd, "disk", 0);
}

static void ranges(void)
{
    int fd = open_new("ranges");
    differs(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, BLOCK) == 0, EOPNOTSUPP,
            "fallocate, collapse");
    differs(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, BLOCK) == 0, EOPNOTSUPP, "fallocate, insert");
    close(fd);
}

static void birth(void)
{
    struct statx found;
    close(open_new("born"));
    if (statx(place_fd, "born", 0, STATX_BASIC_STATS | STATX_BTIME, &found) < 0)
        die("statx");
    bool told = found.stx_mask & STATX_BTIME;
    double age = (double)time(NULL) - (double)found.stx_btime.tv_sec;
    ok(told ? age >= -1 && age < 60 : is_view, "statx: the time of birth is %s",
       told ? "true" : "not told");
}

static void flags_of_files(void)
{
    int fd = open_new("flags"), flags = 0;
    differs(ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0, ENOTTY, "flags");
    close(fd);
}

static long set_lock(struct call *call)
{
    return fcntl(call->fd, call->flags, &call->lock);
}

static long open_path(struct call *call)
{
    return open(call->path, O_RDWR | O_CLOEXEC);
}

static int open_in(const struct worker *worker, const char *name)
{
    struct call call = {.function = open_path};
    snprintf(call.path, sizeof(call.path), "%s/%s", place, name);
    int fd = (int)worker_do(worker, &call);
    if (fd < 0)
        die("cannot open %s", call.path);
    return fd;
}

static struct call lock_call(int fd, int command, off_t start)
{
    return (struct call){
        .function = set_lock,
        .fd = fd,
        .flags = command,
        .lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = 1},
    };
}

static void holder_of_lock(void)
{
    close(open_new("holder"));
    struct worker one = worker_start(), other = worker_start();
    struct call take = lock_call(open_in(&one, "holder"), F_SETLK, 0);
    struct call ask = lock_call(open_in(&other, "holder"), F_GETLK, 0);
    if (worker_do(&one, &take) < 0 || worker_do(&other, &ask) < 0)
        die("lock");
    is_int(ask.lock.l_type, F_WRLCK, "F_GETLK: tells of a lock");
    is_int(ask.lock.l_pid, is_view ? 0 : one.process,
           is_view ? "F_GETLK: and not whose it is" : "F_GETLK: and whose it is");
    worker_stop(&one);
    worker_stop(&other);
}

static void circle_of_locks(void)
{
    close(open_new("circle"));
    struct worker one = worker_start(), other = worker_start();
    int one_fd = open_in(&one, "circle"), other_fd = open_in(&other, "circle");
    struct call first = lock_call(one_fd, F_SETLK, 0), second = lock_call(other_fd, F_SETLK, 1);
    if (worker_do(&one, &first) < 0 || worker_do(&other, &second) < 0)
        die("lock");
    second = lock_call(one_fd, F_SETLKW, 1);
    first = lock_call(other_fd, F_SETLKW, 0);
    worker_begin(&one, &second);
    worker_wait_blocked(&one, SYS_fcntl);
    worker_begin(&other, &first);
    if (is_view) {
        worker_wait_blocked(&other, SYS_fcntl);
        ok(!worker_ended(&other, 0), "locks in a circle: wait");
        ok(worker_kill(&other) && worker_end(&one, &second) == 0,
           "locks in a circle: until one of the processes is killed");
    } else {
        ok(worker_end(&other, &first) < 0 && errno == EDEADLK, "locks in a circle: EDEADLK");
        worker_kill(&other);
    }
    worker_kill(&one);
}

static void locked_folder(void)
{
    mkdirat(place_fd, "locked", 0755);
    int one = openat(place_fd, "locked", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int same = openat(place_fd, "locked", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int other = openat(elsewhere_fd, "locked", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (flock(one, LOCK_EX | LOCK_NB) < 0)
        die("flock");
    ok(flock(same, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK,
       "flock of a directory: excludes others by the same place");
    bool taken = flock(other, LOCK_EX | LOCK_NB) == 0;
    is_int(taken, is_view, "flock of a directory: %s",
           is_view ? "but not those of another view" : "and by another");
    close(one);
    close(same);
    close(other);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: differences PLACE OTHER");
    place = argv[1];
    place_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    elsewhere_fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    is_view = strcmp(argv[1], argv[2]) != 0;
    if (place_fd < 0 || elsewhere_fd < 0)
        die("cannot open the folders");
    devices();
    ranges();
    birth();
    flags_of_files();
    holder_of_lock();
    circle_of_locks();
    locked_folder();
    return done_testing();
}
