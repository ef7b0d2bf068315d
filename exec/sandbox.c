#include "sandbox.h"

#include "bwrap_arguments.h"
#include "network_start.h"
#include "process.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"
#include "scopefs/strbuf.h"
#include "stage2.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors that bwrap inherits; the parent's copies are closed when it has started. */
struct descriptors {
    int *items;
    size_t count;
};

static void close_descriptors(struct descriptors *descriptors)
{
    for (size_t i = 0; i < descriptors->count; i++)
        fd_close(&descriptors->items[i]);
    free(descriptors->items);
}

static int keep(struct descriptors *descriptors, int fd)
{
    descriptors->items =
        xreallocarray(descriptors->items, descriptors->count + 1, sizeof(*descriptors->items));
    descriptors->items[descriptors->count++] = fd;
    return fd;
}

static int give_memory(struct descriptors *descriptors, const char *bytes, size_t size,
                       struct error **error)
{
    cleanup_fd int fd = memfd_create("scopefs-exec", MFD_CLOEXEC);
    if (fd < 0 || fd_write_all(fd, bytes, size) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return error_set(error, errno, "cannot hand data to bwrap");
    return keep(descriptors, fd_steal(&fd));
}

static int give(void *context, const struct given *given, struct error **error)
{
    if (!given->path)
        return give_memory(context, given->bytes, given->size, error);
    /* It is still what it was when it was looked at: in an image, it may be somebody else's. */
    cleanup_fd int fd = open(given->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat found;
    if (fd < 0 || fstat(fd, &found) < 0)
        return error_set(error, errno, "cannot read %s", given->path);
    if (!S_ISREG(found.st_mode) || !(found.st_mode & S_IROTH))
        return error_set(error, 0, "%s has become another file just now; try again", given->path);
    return keep(context, fd_steal(&fd));
}

char *sandbox_stage2_path(void)
{
    return process_own_program("scopefs-stage2");
}

static int open_program(struct descriptors *descriptors, const char *path, struct error **error)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, errno, "%s is missing; install scopefs anew", path);
    return keep(descriptors, fd);
}

static void add_word(struct strbuf *list, const char *word)
{
    strbuf_add(list, word, strlen(word) + 1);
}

/* Only the command itself, which bwrap does not take from there, is in the sight of ps(1). */
static int build_command_line(struct strbuf *line, struct descriptors *descriptors,
                              const struct sandbox_plan *plan, const struct sandbox_start *start,
                              int channel, int network, struct error **error)
{
    cleanup_strbuf struct strbuf arguments = {0};
    cleanup_free char *stage2 = sandbox_stage2_path();
    struct stage2_descriptors inherited = {
        .channel = channel,
        .network = network,
        .program = -1,
        .wait = start->follow,
        .is_session = start->is_session,
        .is_terminal = start->is_terminal,
    };
    if (bwrap_arguments_add_plan(&arguments, plan, give, descriptors, error) < 0)
        return -1;
    int arguments_fd = give_memory(descriptors, arguments.bytes, arguments.length, error);
    if (arguments_fd < 0 || (inherited.stage2 = open_program(descriptors, stage2, error)) < 0)
        return -1;
    if (start->program &&
        (inherited.program = open_program(descriptors, start->program, error)) < 0)
        return -1;
    cleanup_free char *number = xasprintf("%d", arguments_fd);
    add_word(line, "bwrap");
    add_word(line, "--args");
    add_word(line, number);
    add_word(line, "--");
    bwrap_arguments_add_command(line, plan, &inherited, start->view);
    return 0;
}

static int pass_on(const struct descriptors *descriptors)
{
    for (size_t i = 0; i < descriptors->count; i++)
        if (fcntl(descriptors->items[i], F_SETFD, 0) < 0)
            return -1;
    return 0;
}

/* What the child has in place of the caller's standard descriptors; -1: those stay. */
struct streams {
    int input, output, errors;
};

static int redirect(const struct streams *streams)
{
    if ((streams->input >= 0 && dup2(streams->input, STDIN_FILENO) < 0) ||
        (streams->output >= 0 && dup2(streams->output, STDOUT_FILENO) < 0) ||
        (streams->errors >= 0 && dup2(streams->errors, STDERR_FILENO) < 0))
        return -1;
    return 0;
}

static _Noreturn void become_bwrap(const struct sandbox_start *start, const char *const *arguments,
                                   const struct descriptors *descriptors, int channel,
                                   const struct streams *streams, pid_t parent)
{
    /* bwrap's first process shows its environment to the command, as /proc/1/environ. */
    static char *const no_environment[] = {NULL};
    process_prepare_child();
    /* bwrap asks for that signal a little later, too; changing the user has reset it. */
    if (chdir("/") == 0 && cgroup_enter(start->cgroup) == 0 &&
        identity_become(start->identity) == 0 && pass_on(descriptors) == 0 &&
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent &&
        redirect(streams) == 0)
        execve(start->bwrap, (char *const *)arguments, no_environment);
    fprintf(stderr, "scopefs-exec: cannot start %s as uid %u: %s\n", start->bwrap,
            start->identity->uid, strerror(errno));
    (void)!send(channel, STAGE2_REFUSED, 1, MSG_NOSIGNAL);
    _exit(125);
}

static int open_channel(int ends[2], struct error **error)
{
    /* The kernel then says who reports, by the number that the process has out here. */
    static const int enabled = 1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
        setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &enabled, sizeof(enabled)) < 0)
        return error_set(error, errno, "cannot make a channel into the sandbox");
    return 0;
}

/* The writing ends live until bwrap has them. */
static int open_captures(struct sandbox *sandbox, const struct sandbox_start *start,
                         struct streams *streams, struct error **error)
{
    if (!start->capture)
        return 0;
    streams->output = capture_open(&sandbox->output, start->capture_limit, error);
    if (streams->output >= 0)
        streams->errors = capture_open(&sandbox->errors, start->capture_limit, error);
    return streams->errors < 0 ? -1 : 0;
}

static void close_captures(struct streams *streams)
{
    fd_close(&streams->output);
    fd_close(&streams->errors);
}

/* Returns the end for the forwarder. */
static int open_network(struct sandbox *sandbox, struct descriptors *descriptors,
                        const struct sandbox_plan *plan, const struct sandbox_start *start,
                        struct error **error)
{
    struct network_ends ends;
    if (network_start(&ends, plan, start->identity, error) < 0)
        return -1;
    network_report_open(&sandbox->network, ends.report, start->scope);
    return keep(descriptors, ends.inside);
}

int sandbox_start(struct sandbox *sandbox, const struct sandbox_plan *plan,
                  const struct sandbox_start *start, struct error **error)
{
    __attribute__((cleanup(close_descriptors))) struct descriptors descriptors = {0};
    __attribute__((cleanup(close_captures))) struct streams streams = {start->input, -1, -1};
    cleanup_strbuf struct strbuf line = {0};
    int ends[2] = {-1, -1};
    *sandbox = (struct sandbox)SANDBOX_NONE;
    if (open_captures(sandbox, start, &streams, error) < 0 || open_channel(ends, error) < 0)
        return -1;
    cleanup_fd int ours = ends[0];
    int theirs = keep(&descriptors, ends[1]), network = -1;
    if (plan->network_pattern_count &&
        (network = open_network(sandbox, &descriptors, plan, start, error)) < 0)
        return -1;
    if (build_command_line(&line, &descriptors, plan, start, theirs, network, error) < 0)
        return -1;
    cleanup_free const char **arguments = bwrap_arguments_split(&line);

    if (start->follow)
        access_report_open(&sandbox->accesses, start->view);
    pid_t parent = getpid();
    sandbox->bwrap = fork();
    if (sandbox->bwrap < 0)
        return error_set(error, errno, "cannot start bwrap");
    if (sandbox->bwrap == 0)
        become_bwrap(start, arguments, &descriptors, theirs, &streams, parent);
    sandbox->channel = fd_steal(&ours);
    return 0;
}

void sandbox_free(struct sandbox *sandbox)
{
    fd_close(&sandbox->channel);
    capture_free(&sandbox->output);
    capture_free(&sandbox->errors);
    network_report_free(&sandbox->network);
    access_report_free(&sandbox->accesses);
}
