#include "supervise.h"

#include "scopefs/fd.h"
#include "stage2.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NEVER INT64_MAX

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

struct watch {
    int signals;
    struct sandbox *sandbox;
    struct outcome *outcome;
    pid_t command;     /* leads its own process group; 0 while it is not there */
    int command_pidfd; /* or -1 */
    int64_t deadline;  /* in milliseconds of the monotonic clock */
    unsigned long kill_after_ms;
    bool terminating; /* SIGTERM was sent; SIGKILL follows at the deadline */
    bool ended;
};

int supervisor_prepare(struct supervisor *supervisor, struct error **error)
{
    sigset_t signals;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++) {
        struct sigaction present;
        if (sigaction(passed_on[i], NULL, &present) == 0 && present.sa_handler != SIG_IGN)
            sigaddset(&signals, passed_on[i]);
    }
    supervisor->interrupts = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    sigaddset(&signals, SIGCHLD);
    supervisor->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (supervisor->interrupts >= 0 && supervisor->signals >= 0 &&
        sigprocmask(SIG_BLOCK, &signals, NULL) == 0)
        return 0;
    return error_set(error, errno, "cannot receive signals");
}

static int next_signal(int signals)
{
    struct signalfd_siginfo received;
    ssize_t size = read(signals, &received, sizeof(received));
    return size == (ssize_t)sizeof(received) ? (int)received.ssi_signo : 0;
}

int supervisor_interrupted(const struct supervisor *supervisor)
{
    int number;
    do {
        number = next_signal(supervisor->signals);
    } while (number == SIGCHLD);
    return number;
}

int supervisor_adopt(struct supervisor *supervisor, struct error **error)
{
    process_list_children(&supervisor->spared);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return error_set(error, errno, "cannot become the parent of orphans");
    return 0;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t now_ms(void)
{
    return now_us() / 1000;
}

static int64_t deadline_after(unsigned long timeout_ms)
{
    int64_t deadline;
    if (timeout_ms == 0 || __builtin_add_overflow(now_ms(), timeout_ms, &deadline))
        return NEVER;
    return deadline;
}

/* --- What stage2 reports --- */

static pid_t sender_of(struct msghdr *message)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        struct ucred sender;
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS)
            continue;
        memcpy(&sender, CMSG_DATA(part), sizeof(sender));
        return sender.pid;
    }
    return 0;
}

static void take_report(struct watch *watch, const struct stage2_report *report, size_t size,
                        pid_t sender)
{
    struct outcome *outcome = watch->outcome;
    if (size == sizeof(*report) && report->letter == STAGE2_PLACE) {
        watch->sandbox->accesses.pid_namespace = report->pid_namespace;
    } else if (size == sizeof(*report) && report->letter == STAGE2_ENDED) {
        outcome->status_is_known = true;
        outcome->wait_status = report->wait_status;
    } else if (report->letter != STAGE2_READY[0]) {
        outcome->refused = true;
    } else if (!outcome->came_up) {
        outcome->came_up = true;
        watch->command = sender;
        watch->command_pidfd = (int)syscall(SYS_pidfd_open, sender, 0);
    }
}

/* False when there is nothing more at present. */
static bool read_report(struct watch *watch)
{
    struct stage2_report report;
    char control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec part = {.iov_base = &report, .iov_len = sizeof(report)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t size = recvmsg(watch->sandbox->channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0 && errno == EINTR)
        return true;
    if (size < 0 && errno == EAGAIN)
        return false;
    if (size > 0)
        take_report(watch, &report, (size_t)size, sender_of(&message));
    else
        fd_close(&watch->sandbox->channel);
    return size > 0;
}

static void read_channel(struct watch *watch)
{
    while (watch->sandbox->channel >= 0 && read_report(watch))
        ;
}

/* --- Signals --- */

static bool command_has_ended(const struct watch *watch)
{
    struct pollfd process = {.fd = watch->command_pidfd, .events = POLLIN};
    return watch->command_pidfd < 0 || poll(&process, 1, 0) != 0;
}

static void pass_signal_on(struct watch *watch, int number)
{
    if (!watch->outcome->came_up) {
        watch->outcome->interrupted = number;
        watch->ended = true;
    } else if (!command_has_ended(watch)) {
        /* Not later: once its leader is gone, the group's number may be another's. */
        kill(-watch->command, number);
    }
}

static void reap(struct watch *watch)
{
    int status;
    if (waitpid(watch->sandbox->bwrap, &status, WNOHANG) != watch->sandbox->bwrap)
        return;
    watch->outcome->exit_status = process_exit_status(status);
    watch->ended = true;
}

static void read_signals(struct watch *watch)
{
    for (int number; !watch->ended && (number = next_signal(watch->signals));) {
        if (number == SIGCHLD)
            reap(watch);
        else
            pass_signal_on(watch, number);
    }
}

/* --- Time --- */

static void act_on_deadline(struct watch *watch)
{
    watch->outcome->timed_out = true;
    if (watch->terminating || !watch->outcome->came_up) {
        watch->ended = true;
        return;
    }
    process_signal_descendants(watch->sandbox->bwrap, SIGTERM);
    watch->terminating = true;
    watch->deadline = now_ms() + (int64_t)watch->kill_after_ms;
}

static int time_left(const struct watch *watch)
{
    if (watch->deadline == NEVER)
        return -1;
    int64_t left = watch->deadline - now_ms();
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

static void wait_for_event(struct watch *watch)
{
    struct pollfd sources[] = {
        {.fd = watch->sandbox->channel, .events = POLLIN},
        {.fd = watch->signals, .events = POLLIN},
        {.fd = watch->sandbox->output.fd, .events = POLLIN},
        {.fd = watch->sandbox->errors.fd, .events = POLLIN},
        {.fd = watch->sandbox->network.fd, .events = POLLIN},
        {.fd = watch->sandbox->accesses.fd, .events = POLLIN},
    };
    if (poll(sources, 6, time_left(watch)) < 0)
        return;
    if (sources[2].revents)
        capture_read(&watch->sandbox->output);
    if (sources[3].revents)
        capture_read(&watch->sandbox->errors);
    if (sources[4].revents)
        network_report_read(&watch->sandbox->network);
    if (sources[5].revents)
        access_report_read(&watch->sandbox->accesses);
    /* First the channel: a report and the end that follows it may arrive together. */
    if (sources[0].revents)
        read_channel(watch);
    if (sources[1].revents)
        read_signals(watch);
    if (!watch->ended && time_left(watch) == 0)
        act_on_deadline(watch);
}

void supervisor_watch(const struct supervisor *supervisor, struct sandbox *sandbox,
                      const struct sandbox_plan *plan, struct outcome *outcome)
{
    int64_t start = now_us();
    struct watch watch = {
        .signals = supervisor->signals,
        .sandbox = sandbox,
        .outcome = outcome,
        .command_pidfd = -1,
        .deadline = deadline_after(plan->timeout_ms),
        .kill_after_ms = plan->kill_after_ms,
    };
    *outcome = (struct outcome){0};
    while (!watch.ended)
        wait_for_event(&watch);
    read_channel(&watch);
    fd_close(&sandbox->channel);
    fd_close(&watch.command_pidfd);
    /* bwrap ends with its command; this waits for what the command left in the background. */
    process_end_children(&supervisor->spared);
    outcome->duration_us = (unsigned long long)(now_us() - start);
    capture_finish(&sandbox->output);
    capture_finish(&sandbox->errors);
    network_report_read(&sandbox->network);
    access_report_finish(&sandbox->accesses);
}

void supervisor_free(struct supervisor *supervisor)
{
    fd_close(&supervisor->signals);
    fd_close(&supervisor->interrupts);
    process_set_free(&supervisor->spared);
}
