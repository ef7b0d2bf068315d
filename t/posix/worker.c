#include "worker.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_WAIT_SECONDS = 30 };

void die(const char *format, ...)
{
    int failed = errno;
    va_list arguments;
    fflush(stdout);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, ": %s\n", strerror(failed));
    _exit(99);
}

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void pause_since(double start, const char *waiting_for)
{
    if (now() - start > LONGEST_WAIT_SECONDS) {
        errno = ETIMEDOUT;
        die("waiting for %s", waiting_for);
    }
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void wake(int number)
{
    (void)number;
}

static _Noreturn void work(int channel)
{
    struct call call;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Without SA_RESTART: a signal interrupts what blocks. */
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = wake}, NULL);
    while (fd_read_all(channel, &call, sizeof(call)) == 0) {
        errno = 0;
        call.result = call.function(&call);
        call.error = call.result < 0 ? errno : 0;
        if (fd_write_all(channel, &call, sizeof(call)) < 0)
            break;
    }
    _exit(0);
}

struct worker worker_start(void)
{
    int ends[2];
    fflush(NULL);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        die("socketpair");
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        /* What other workers were given must end with them. */
        for (int fd = 3; fd < 1024; fd++)
            if (fd != ends[1])
                close(fd);
        work(ends[1]);
    }
    close(ends[1]);
    return (struct worker){child, ends[0]};
}

void worker_begin(const struct worker *worker, const struct call *call)
{
    if (fd_write_all(worker->channel, call, sizeof(*call)) < 0)
        die("cannot tell a worker");
}

long worker_end(const struct worker *worker, struct call *call)
{
    if (!worker_ended(worker, LONGEST_WAIT_SECONDS * 1000)) {
        errno = ETIMEDOUT;
        die("a worker does not answer");
    }
    if (fd_read_all(worker->channel, call, sizeof(*call)) < 0)
        die("a worker is gone");
    errno = call->error;
    return call->result;
}

bool worker_ended(const struct worker *worker, int milliseconds)
{
    struct pollfd ready = {.fd = worker->channel, .events = POLLIN};
    return poll(&ready, 1, milliseconds) > 0;
}

long worker_do(const struct worker *worker, struct call *call)
{
    worker_begin(worker, call);
    return worker_end(worker, call);
}

/* The number of the system call that a process sleeps in, from proc_pid_syscall(5); -1: none. */
static long blocked_in(pid_t process)
{
    char path[64], text[64] = "";
    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("cannot open %s", path);
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    return got > 0 && text[0] >= '0' && text[0] <= '9' ? strtol(text, NULL, 10) : -1;
}

void worker_wait_blocked(const struct worker *worker, long system_call)
{
    double start = now();
    while (blocked_in(worker->process) != system_call)
        pause_since(start, "a worker to block");
}

bool worker_kill(struct worker *worker)
{
    double start = now();
    kill(worker->process, SIGKILL);
    while (waitpid(worker->process, NULL, WNOHANG) == 0) {
        if (now() - start > 10)
            return false;
        pause_since(start, "a worker to die");
    }
    close(worker->channel);
    return true;
}

void worker_stop(struct worker *worker)
{
    close(worker->channel);
    while (waitpid(worker->process, NULL, 0) < 0 && errno == EINTR)
        ;
}
