/*
 * scopefs-stage2: the first program inside a sandbox. It checks that the sandbox is the one that
 * was meant, tells scopefs-exec so, closes every descriptor but the standard ones, and becomes the
 * command. It is not meant to be run by hand, and is linked without shared libraries where that is
 * possible: it then starts fast, runs on any root file system and heeds no LD_ variable.
 */
#include "stage2.h"

#include "forwarder.h"
#include "stage2_files.h"
#include "stage2_session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_LIMITS 8

struct stage2_limit {
    int resource;
    unsigned long long value;
};

struct stage2_request {
    int channel;      /* -1: nobody listens */
    int network;      /* of the forwarder; -1: none */
    int program;      /* runs in place of the command's first word; -1: none */
    bool wait;        /* for the command's end, to tell of it */
    bool is_session;  /* it becomes a shell that serves many calls */
    bool is_terminal; /* or one that has a terminal */
    bool keep_apart;  /* from abstract sockets of the network's others */
    bool check_device;
    unsigned device_major, device_minor;
    struct stage2_limit limits[MAX_LIMITS];
    size_t limit_count;
    const char *workspace;
    const char *workdir;
    char **command;
};

static _Noreturn void refuse(const struct stage2_request *request, const char *what)
{
    if (request->channel >= 0)
        (void)!send(request->channel, STAGE2_REFUSED, 1, MSG_NOSIGNAL);
    fprintf(stderr, "scopefs-exec: %s%s%s\n", what, errno ? ": " : "",
            errno ? strerror(errno) : "");
    _exit(125);
}

static const char *value_of(const char *argument, const char *name)
{
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 ? argument + length : NULL;
}

static bool parse_argument(struct stage2_request *request, const char *argument)
{
    const char *value;
    char end;
    if ((value = value_of(argument, "--channel=")))
        return sscanf(value, "%d%c", &request->channel, &end) == 1;
    if ((value = value_of(argument, "--network=")))
        return sscanf(value, "%d%c", &request->network, &end) == 1;
    if ((value = value_of(argument, "--program=")))
        return sscanf(value, "%d%c", &request->program, &end) == 1;
    if (strcmp(argument, "--wait") == 0)
        return request->wait = true;
    if (strcmp(argument, "--session") == 0)
        return request->is_session = true;
    if (strcmp(argument, "--terminal") == 0)
        return request->is_terminal = true;
    if (strcmp(argument, "--keep-apart") == 0)
        return request->keep_apart = true;
    if ((value = value_of(argument, "--device="))) {
        request->check_device = true;
        return sscanf(value, "%u:%u%c", &request->device_major, &request->device_minor, &end) == 2;
    }
    if ((value = value_of(argument, "--limit="))) {
        if (request->limit_count == MAX_LIMITS)
            return false;
        struct stage2_limit *limit = &request->limits[request->limit_count++];
        return sscanf(value, "%d:%llu%c", &limit->resource, &limit->value, &end) == 2;
    }
    if ((value = value_of(argument, "--workspace=")))
        request->workspace = value;
    else if ((value = value_of(argument, "--workdir=")))
        request->workdir = value;
    return value != NULL;
}

static void parse_arguments(struct stage2_request *request, int argc, char **argv)
{
    int next = 1;
    while (next < argc && strcmp(argv[next], "--") != 0)
        if (!parse_argument(request, argv[next++]))
            refuse(request, "scopefs-stage2: bad argument; it is run by scopefs-exec only");
    if (next + 1 >= argc || !request->workspace || !request->workdir)
        refuse(request, "scopefs-stage2: it is run by scopefs-exec only");
    request->command = argv + next + 1;
}

/* A view that went away, or was swapped for something else, between the helper's look at it and the
 * bind mount, would leave the command in a directory without rules. */
static void check_workspace(const struct stage2_request *request)
{
    struct stat status;
    struct statfs file_system;
    if (stat(request->workspace, &status) < 0 || statfs(request->workspace, &file_system) < 0)
        refuse(request, "the workspace cannot be looked at");
    if (!request->check_device)
        return;
    if (file_system.f_type == FUSE_SUPER_MAGIC &&
        status.st_dev == makedev(request->device_major, request->device_minor))
        return;
    errno = 0;
    refuse(request, "the workspace is not the view that was meant; was it just unmounted?");
}

static void enter_workdir(const struct stage2_request *request)
{
    if (chdir(request->workdir) == 0 && setenv("PWD", request->workdir, 1) == 0)
        return;
    char text[512];
    snprintf(text, sizeof(text), "cannot enter %s", request->workdir);
    refuse(request, text);
}

/* Nobody but a privileged process raises a hard limit again. One that is lower already stays. */
static void set_limits(const struct stage2_request *request)
{
    for (size_t i = 0; i < request->limit_count; i++) {
        int resource = request->limits[i].resource;
        rlim_t value = (rlim_t)request->limits[i].value;
        struct rlimit limit;
        if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
            refuse(request, "cannot look at a resource limit");
        if (limit.rlim_max > value)
            limit.rlim_max = value;
        if (limit.rlim_cur > limit.rlim_max)
            limit.rlim_cur = limit.rlim_max;
        if (setrlimit((__rlimit_resource_t)resource, &limit) < 0)
            refuse(request, "cannot set a resource limit");
    }
}

/* Abstract sockets belong to the network's namespace, which is the host's: what listens there was
 * not made for a sandbox (a session bus, a display, a container's supervisor). By Landlock, since
 * ABI 6 (Linux 6.12); older kernels, and headers, do not have it. */
static void keep_apart(const struct stage2_request *request)
{
    enum { ABI_WITH_SCOPES = 6, SCOPE_ABSTRACT_SOCKETS = 1 };
    const struct {
        uint64_t file_rights, network_rights, scopes;
    } rules = {.scopes = SCOPE_ABSTRACT_SOCKETS};
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) <
        ABI_WITH_SCOPES)
        return;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
    if (ruleset < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        refuse(request, "cannot keep the command from abstract sockets");
    close(ruleset);
}

/* Only the standard ones stay; that of the program lasts until it runs. */
static int close_descriptors(int program)
{
    if (program < 0)
        return close_range(3, ~0U, 0);
    if (fcntl(program, F_SETFD, FD_CLOEXEC) < 0 ||
        (program > 3 && close_range(3, (unsigned)program - 1, 0) < 0))
        return -1;
    return close_range((unsigned)program + 1, ~0U, 0);
}

/* What is sent to all processes of the sandbox is meant for the command. */
static void ignore_signals(void)
{
    for (int number = 1; number < NSIG; number++)
        if (number != SIGCHLD)
            signal(number, SIG_IGN);
}

/* Returns in the process that becomes the command; the other one sees to its end. */
static void leave_command(const struct stage2_request *request)
{
    struct stage2_report report = {.letter = STAGE2_PLACE};
    struct stat place;
    if (stat("/proc/self/ns/pid", &place) == 0)
        report.pid_namespace = (unsigned long)place.st_ino;
    (void)!send(request->channel, &report, sizeof(report), MSG_NOSIGNAL);
    report.letter = STAGE2_ENDED;
    pid_t command = fork();
    if (command < 0)
        refuse(request, "cannot start a process");
    if (command == 0)
        return;
    ignore_signals();
    /* So that whoever reads what the command writes sees the end when the command closes it. */
    if (request->channel > 0)
        close_range(0, (unsigned)request->channel - 1, 0);
    close_range((unsigned)request->channel + 1, ~0U, 0);
    while (waitpid(command, &report.wait_status, 0) < 0 && errno == EINTR)
        ;
    (void)!send(request->channel, &report, sizeof(report), MSG_NOSIGNAL);
    _exit(WIFSIGNALED(report.wait_status) ? 128 + WTERMSIG(report.wait_status)
                                          : WEXITSTATUS(report.wait_status));
}

static _Noreturn void begin_session(const struct stage2_request *request)
{
    int observer = stage2_session_observe();
    if (observer < 0)
        refuse(request, "a session needs Linux 5.9 or newer, and nobody who observes already");
    if (stage2_session_report(request->channel, observer) < 0)
        refuse(request, "scopefs-exec is gone");
    if (close_range(3, ~0U, 0) < 0)
        _exit(125);
    _exit(stage2_session_become_shell());
}

static _Noreturn void begin_terminal(const struct stage2_request *request)
{
    int master = stage2_session_open_terminal();
    if (master < 0)
        refuse(request, "cannot make a terminal");
    if (stage2_session_report(request->channel, master) < 0 || close_range(3, ~0U, 0) < 0)
        _exit(125);
    _exit(stage2_session_become_terminal_shell());
}

int main(int argc, char **argv)
{
    struct stage2_request request = {.channel = -1, .network = -1, .program = -1};
    parse_arguments(&request, argc, argv);
    check_workspace(&request);
    enter_workdir(&request);
    if (request.network >= 0 && forwarder_start(request.network) < 0)
        refuse(&request, "cannot start the network's forwarder");
    if (request.keep_apart)
        keep_apart(&request);
    if (!request.is_session && !request.is_terminal && stage2_files_hold(request.program) < 0)
        refuse(&request, "cannot hold the command to the files that it is handed");
    if (request.wait)
        leave_command(&request);
    set_limits(&request);
    /* Leader of a session and group of its own, so that signals can be sent to the group. */
    if (setsid() < 0)
        refuse(&request, "setsid");
    if (request.is_session)
        begin_session(&request);
    if (request.is_terminal)
        begin_terminal(&request);
    if (request.channel >= 0 && send(request.channel, STAGE2_READY, 1, MSG_NOSIGNAL) != 1)
        refuse(&request, "scopefs-exec is gone");
    if (close_descriptors(request.program) < 0) {
        fprintf(stderr, "scopefs-exec: cannot close descriptors: %s\n", strerror(errno));
        _exit(125);
    }
    if (request.program >= 0)
        fexecve(request.program, request.command, environ);
    else
        execvp(request.command[0], request.command);
    int failure = errno;
    fprintf(stderr, "scopefs-exec: cannot run '%s': %s\n", request.command[0], strerror(failure));
    /* As env(1) has it. */
    _exit(failure == ENOENT ? 127 : 126);
}
