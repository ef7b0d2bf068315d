/*
 * Processes that do one thing after the other as they are told, so that a test decides the order in
 * which several processes act. A call is a function with its arguments; it runs in the worker, and
 * what it changes in its call comes back.
 */
#ifndef T_POSIX_WORKER_H
#define T_POSIX_WORKER_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

struct call {
    long (*function)(struct call *call);
    char path[512];
    int fd, flags;
    struct flock lock;
    long result;
    int error; /* errno, when the result is negative */
};

struct worker {
    pid_t process;
    int channel;
};

/* A worker that has nothing open. Anything that goes wrong ends the test. */
struct worker worker_start(void);

/* Tells the worker what to do, and does not wait. */
void worker_begin(const struct worker *worker, const struct call *call);

/* Waits for the end of what was begun; the result is negative for an error, and errno is set. */
long worker_end(const struct worker *worker, struct call *call);

/* Whether it has ended. Waits for that at most so long. */
bool worker_ended(const struct worker *worker, int milliseconds);

/* Both at once. */
long worker_do(const struct worker *worker, struct call *call);

/* Waits until the worker sleeps in this system call (SYS_flock, ...). */
void worker_wait_blocked(const struct worker *worker, long system_call);

/* Ends it by SIGKILL and waits until it is gone: false when it is not within ten seconds. */
bool worker_kill(struct worker *worker);

/* Ends it in order. */
void worker_stop(struct worker *worker);

/* Seconds on a clock that only advances. */
double now(void);

/* Waits a moment in a loop that waits for something; ends the test when the loop began too long
 * ago. */
void pause_since(double start, const char *waiting_for);

__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);

#endif
