/*
 * Locks exclude who they should: two processes that come to one file by two places, each of which
 * is a view of the same source or the source itself. Usage: locks PLACE PLACE NAME, where NAME says
 * in the results what the places are.
 */
#include "worker.h"

#include "../tap.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *places[2], *what;

/* --- What workers do --- */

static long open_path(struct call *call)
{
    return open(call->path, call->flags | O_CLOEXEC, 0600);
}

static long close_fd(struct call *call)
{
    return close(call->fd);
}

static long do_flock(struct call *call)
{
    return flock(call->fd, call->flags);
}

static long do_fcntl(struct call *call)
{
    return fcntl(call->fd, call->flags, &call->lock);
}

/* --- Telling them --- */

static int open_in(const struct worker *worker, const char *place, const char *name, int flags)
{
    struct call call = {.function = open_path, .flags = flags};
    snprintf(call.path, sizeof(call.path), "%s/%s", place, name);
    int fd = (int)worker_do(worker, &call);
    if (fd < 0)
        die("cannot open %s", call.path);
    return fd;
}

static void close_in(const struct worker *worker, int fd)
{
    struct call call = {.function = close_fd, .fd = fd};
    worker_do(worker, &call);
}

/* A kind of lock. Blocking, not blocking and asking are commands of fcntl(2); 0 for flock(2). */
struct kind {
    const char *name;
    int set, wait, get;
};

static const struct kind kinds[] = {
    {"flock", 0, 0, 0},
    {"record lock", F_SETLK, F_SETLKW, F_GETLK},
    {"open file description lock", F_OFD_SETLK, F_OFD_SETLKW, F_OFD_GETLK},
};

/* The call that locks (F_RDLCK, F_WRLCK) or unlocks (F_UNLCK) `length` bytes, 0 for all. */
static struct call lock_call(const struct kind *kind, int fd, short type, off_t start, off_t length,
                             bool wait)
{
    if (kind->set)
        return (struct call){
            .function = do_fcntl,
            .fd = fd,
            .flags = wait ? kind->wait : kind->set,
            .lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length},
        };
    int how = type == F_WRLCK ? LOCK_EX : type == F_RDLCK ? LOCK_SH : LOCK_UN;
    return (struct call){.function = do_flock, .fd = fd, .flags = how | (wait ? 0 : LOCK_NB)};
}

/* True when the lock was taken, false when somebody has it. */
static bool try_range(const struct kind *kind, const struct worker *worker, int fd, short type,
                      off_t start, off_t length)
{
    struct call call = lock_call(kind, fd, type, start, length, false);
    if (worker_do(worker, &call) == 0)
        return true;
    if (errno != EAGAIN && errno != EACCES)
        die("%s: a lock fails otherwise than it may", kind->name);
    return false;
}

static bool try_whole(const struct kind *kind, const struct worker *worker, int fd, short type)
{
    return try_range(kind, worker, fd, type, 0, 0);
}

static void begin_waiting(const struct kind *kind, const struct worker *worker, int fd)
{
    struct call call = lock_call(kind, fd, F_WRLCK, 0, 0, true);
    worker_begin(worker, &call);
    worker_wait_blocked(worker, kind->set ? SYS_fcntl : SYS_flock);
}

/* Two workers with one file open, each in its place. */
struct pair {
    struct worker one, other;
    int one_fd, other_fd;
};

static struct pair start_pair(void)
{
    struct pair pair = {.one = worker_start(), .other = worker_start()};
    pair.one_fd = open_in(&pair.one, places[0], "file", O_RDWR);
    pair.other_fd = open_in(&pair.other, places[1], "file", O_RDWR);
    return pair;
}

static void stop_pair(struct pair *pair)
{
    worker_stop(&pair->one);
    worker_stop(&pair->other);
}

/* The lock of a file that somebody else has just closed. In one view the first attempt gets it; the
 * word that the file is closed reaches the source a moment after close(2). */
static bool try_closed(const struct kind *kind, const struct worker *worker, int fd)
{
    double start = now();
    while (!try_whole(kind, worker, fd, F_WRLCK)) {
        if (strcmp(places[0], places[1]) == 0 || now() - start > 1)
            return false;
        pause_since(start, "a file to be closed");
    }
    return true;
}

/* Takes the lock that a test begins with. */
static void take(const struct kind *kind, const struct worker *worker, int fd)
{
    if (!try_closed(kind, worker, fd))
        die("%s: somebody still has the lock", kind->name);
}

/* --- Tests --- */

static void excludes(const struct kind *kind)
{
    struct pair pair = start_pair();
    take(kind, &pair.one, pair.one_fd);
    ok(!try_whole(kind, &pair.other, pair.other_fd, F_WRLCK) &&
           !try_whole(kind, &pair.other, pair.other_fd, F_RDLCK),
       "%s, %s: a write lock excludes the other", what, kind->name);
    try_whole(kind, &pair.one, pair.one_fd, F_UNLCK);
    ok(try_whole(kind, &pair.other, pair.other_fd, F_RDLCK) &&
           try_whole(kind, &pair.one, pair.one_fd, F_RDLCK),
       "%s, %s: unlocked, both may read", what, kind->name);
    ok(!try_whole(kind, &pair.one, pair.one_fd, F_WRLCK),
       "%s, %s: a read lock of the other excludes a write lock", what, kind->name);
    close_in(&pair.other, pair.other_fd);
    ok(try_closed(kind, &pair.one, pair.one_fd), "%s, %s: closing the file lets its locks go", what,
       kind->name);
    stop_pair(&pair);
}

static void excludes_ranges(const struct kind *kind)
{
    struct pair pair = start_pair();
    take(kind, &pair.one, pair.one_fd);
    try_whole(kind, &pair.one, pair.one_fd, F_UNLCK);
    try_range(kind, &pair.one, pair.one_fd, F_WRLCK, 100, 100);
    ok(try_range(kind, &pair.other, pair.other_fd, F_WRLCK, 0, 100) &&
           try_range(kind, &pair.other, pair.other_fd, F_WRLCK, 200, 0) &&
           !try_range(kind, &pair.other, pair.other_fd, F_WRLCK, 199, 1),
       "%s, %s: byte ranges are locked and no more", what, kind->name);

    struct call ask = lock_call(kind, pair.other_fd, F_WRLCK, 0, 0, false);
    ask.flags = kind->get;
    worker_do(&pair.other, &ask);
    ok(ask.lock.l_type == F_WRLCK && ask.lock.l_start == 100 && ask.lock.l_len == 100,
       "%s, %s: F_GETLK tells the range that is locked", what, kind->name);
    try_range(kind, &pair.one, pair.one_fd, F_UNLCK, 120, 10);
    ok(try_range(kind, &pair.other, pair.other_fd, F_WRLCK, 120, 10) &&
           !try_range(kind, &pair.other, pair.other_fd, F_WRLCK, 119, 1) &&
           !try_range(kind, &pair.other, pair.other_fd, F_WRLCK, 130, 1),
       "%s, %s: a lock is unlocked in part", what, kind->name);
    try_whole(kind, &pair.one, pair.one_fd, F_UNLCK);
    ask = lock_call(kind, pair.other_fd, F_WRLCK, 0, 0, false);
    ask.flags = kind->get;
    worker_do(&pair.other, &ask);
    is_int(ask.lock.l_type, F_UNLCK, "%s, %s: F_GETLK tells that nothing is in the way", what,
           kind->name);
    stop_pair(&pair);
}

static void wakes(const struct kind *kind)
{
    struct pair pair = start_pair();
    struct call done;
    take(kind, &pair.one, pair.one_fd);
    begin_waiting(kind, &pair.other, pair.other_fd);
    double start = now();
    try_whole(kind, &pair.one, pair.one_fd, F_UNLCK);
    long result = worker_end(&pair.other, &done);
    double waited = now() - start;
    ok(result == 0 && waited < 1, "%s, %s: who waits gets it", what, kind->name);
    note("%s, %s: %.1f ms after it was let go", what, kind->name, waited * 1000);
    ok(!try_whole(kind, &pair.one, pair.one_fd, F_WRLCK), "%s, %s: and really has it", what,
       kind->name);
    try_whole(kind, &pair.other, pair.other_fd, F_UNLCK);

    try_whole(kind, &pair.one, pair.one_fd, F_WRLCK);
    begin_waiting(kind, &pair.other, pair.other_fd);
    ok(worker_kill(&pair.one) && worker_end(&pair.other, &done) == 0,
       "%s, %s: and when the one who has it is killed", what, kind->name);
    worker_stop(&pair.other);
}

static void ends_waiting(const struct kind *kind)
{
    struct pair pair = start_pair();
    struct call done;
    take(kind, &pair.one, pair.one_fd);
    begin_waiting(kind, &pair.other, pair.other_fd);
    kill(pair.other.process, SIGUSR1);
    ok(worker_end(&pair.other, &done) < 0 && errno == EINTR,
       "%s, %s: a signal ends the waiting with EINTR", what, kind->name);
    begin_waiting(kind, &pair.other, pair.other_fd);
    ok(worker_kill(&pair.other), "%s, %s: SIGKILL ends it too", what, kind->name);

    struct worker third = worker_start();
    int third_fd = open_in(&third, places[1], "file", O_RDWR);
    try_whole(kind, &pair.one, pair.one_fd, F_UNLCK);
    ok(try_whole(kind, &third, third_fd, F_WRLCK),
       "%s, %s: and who gave up waiting does not get it later", what, kind->name);
    worker_stop(&pair.one);
    worker_stop(&third);
}

/* Record locks belong to the process, whatever descriptor and name of the file it uses. */
static void belongs_to_process(void)
{
    const struct kind *record = &kinds[1];
    struct pair pair = start_pair();
    int second = open_in(&pair.one, places[0], "hard", O_RDWR);
    int reader = open_in(&pair.one, places[0], "file", O_RDONLY);
    take(record, &pair.one, pair.one_fd);
    try_whole(record, &pair.one, pair.one_fd, F_UNLCK);
    ok(try_whole(record, &pair.one, reader, F_RDLCK) &&
           try_whole(record, &pair.one, pair.one_fd, F_WRLCK),
       "%s: a process may write-lock by another descriptor what it has read-locked", what);
    ok(try_whole(record, &pair.one, second, F_WRLCK), "%s: and by another name of the file", what);
    int other_name = open_in(&pair.other, places[1], "hard", O_RDWR);
    ok(!try_whole(record, &pair.other, other_name, F_RDLCK),
       "%s: which excludes others by every name", what);
    close_in(&pair.one, second);
    ok(try_whole(record, &pair.other, other_name, F_WRLCK),
       "%s: closing any of its descriptors of the file lets all its record locks go", what);
    stop_pair(&pair);
}

/* Locks of an open file description stay as long as that. */
static void belongs_to_description(const struct kind *kind)
{
    struct pair pair = start_pair();
    int second = open_in(&pair.one, places[0], "file", O_RDWR);
    take(kind, &pair.one, pair.one_fd);
    ok(!try_whole(kind, &pair.one, second, F_WRLCK),
       "%s, %s: excludes another description of the same process", what, kind->name);
    close_in(&pair.one, second);
    ok(!try_whole(kind, &pair.other, pair.other_fd, F_WRLCK),
       "%s, %s: stays when another descriptor is closed", what, kind->name);
    stop_pair(&pair);
}

static long unlink_path(struct call *call)
{
    return unlink(call->path);
}

static void outlives_name(const struct kind *kind)
{
    struct worker one = worker_start(), other = worker_start();
    int one_fd = open_in(&one, places[0], "gone", O_RDWR | O_CREAT);
    int other_fd = open_in(&other, places[1], "gone", O_RDWR);
    struct call call = {.function = unlink_path};
    snprintf(call.path, sizeof(call.path), "%s/gone", places[0]);
    worker_do(&one, &call);
    ok(try_whole(kind, &one, one_fd, F_WRLCK) && !try_whole(kind, &other, other_fd, F_WRLCK),
       "%s, %s: works on a file without a name", what, kind->name);
    worker_stop(&one);
    worker_stop(&other);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage: locks PLACE PLACE NAME");
    places[0] = argv[1];
    places[1] = argv[2];
    what = argv[3];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        excludes(&kinds[i]);
        if (kinds[i].set)
            excludes_ranges(&kinds[i]);
        wakes(&kinds[i]);
        ends_waiting(&kinds[i]);
        if (kinds[i].set != F_SETLK)
            belongs_to_description(&kinds[i]);
        outlives_name(&kinds[i]);
    }
    belongs_to_process();
    return done_testing();
}
