/*
 * Many processes wait for one lock, which stops nobody else, and each of them gets it. Usage:
 * waiters PLACE OTHER_PLACE, views of one source in which the file "file" is.
 */
#include "worker.h"

#include "../tap.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WAITERS = 96, KILLED = 24 };

static const char *places[2];

static long open_lock(struct call *call)
{
    return open(call->path, O_RDWR | O_CLOEXEC);
}

/* Locks, is the only one inside, and unlocks. In call->path is what only one may make. */
static long pass_through(struct call *call)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (call->flags ? fcntl(call->fd, F_SETLKW, &whole) : flock(call->fd, LOCK_EX))
        return -1;
    int inside = open(call->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (inside < 0)
        return -1;
    if (close(inside) < 0 || unlink(call->path) < 0)
        return -1;
    whole.l_type = F_UNLCK;
    return call->flags ? fcntl(call->fd, F_SETLK, &whole) : flock(call->fd, LOCK_UN);
}

static struct worker start_waiter(const char *place, bool record)
{
    struct worker worker = worker_start();
    struct call call = {.function = open_lock};
    snprintf(call.path, sizeof(call.path), "%s/file", place);
    int fd = (int)worker_do(&worker, &call);
    if (fd < 0)
        die("cannot open %s", call.path);
    call = (struct call){.function = pass_through, .fd = fd, .flags = record};
    snprintf(call.path, sizeof(call.path), "%s/inside", places[0]);
    worker_begin(&worker, &call);
    worker_wait_blocked(&worker, record ? SYS_fcntl : SYS_flock);
    return worker;
}

/* What others do meanwhile in the same view. */
static bool works(const char *place)
{
    char path[512], text[8] = "";
    struct stat attributes;
    snprintf(path, sizeof(path), "%s/meanwhile", place);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && pwrite(fd, "text", 4, 0) == 4 && pread(fd, text, 8, 0) == 4 &&
                fsync(fd) == 0 && fstat(fd, &attributes) == 0 && attributes.st_size == 4 &&
                flock(fd, LOCK_EX) == 0 && close(fd) == 0 && unlink(path) == 0;
    DIR *directory = opendir(place);
    good = good && directory && readdir(directory);
    if (directory)
        closedir(directory);
    return good;
}

static void let_pass(bool record)
{
    const char *kind = record ? "record lock" : "flock";
    static struct worker waiters[WAITERS];
    char path[512];
    snprintf(path, sizeof(path), "%s/file", places[0]);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (record ? fcntl(fd, F_SETLK, &whole) : flock(fd, LOCK_EX | LOCK_NB))
        die("cannot take the lock");
    for (size_t i = 0; i < WAITERS; i++)
        waiters[i] = start_waiter(places[i % 2], record);
    ok(works(places[0]) && works(places[1]), "%s: %d processes wait, and others work", kind,
       WAITERS);

    bool all_died = true;
    for (size_t i = 0; i < KILLED; i++)
        all_died &= worker_kill(&waiters[i]);
    ok(all_died, "%s: %d of them are killed", kind, KILLED);

    whole.l_type = F_UNLCK;
    if (record ? fcntl(fd, F_SETLK, &whole) : flock(fd, LOCK_UN))
        die("cannot let go");
    unsigned passed = 0;
    double start = now();
    for (size_t i = KILLED; i < WAITERS; i++) {
        struct call call;
        passed += worker_end(&waiters[i], &call) == 0;
        worker_stop(&waiters[i]);
    }
    is_int(passed, WAITERS - KILLED, "%s: each of the others gets it, one at a time", kind);
    note("%s: all passed within %.0f ms", kind, (now() - start) * 1000);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: waiters PLACE OTHER_PLACE");
    places[0] = argv[1];
    places[1] = argv[2];
    let_pass(false);
    let_pass(true);
    return done_testing();
}
