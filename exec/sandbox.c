#include "sandbox.h"

#include "bwrap_arguments.h"
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

static int give_memory(void *context, const char *bytes, size_t size, struct error **error)
{
    cleanup_fd int fd = memfd_create("scopefs-exec", MFD_CLOEXEC);
    if (fd < 0 || fd_write_all(fd, bytes, size) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return error_set(error, errno, "cannot hand data to bwrap");
    return keep(context, fd_steal(&fd));
}

char *sandbox_stage2_path(void)
{
    cleanup_free char *beside = runtime_program("scopefs-stage2");
    if (access(beside, X_OK) == 0)
        return steal_pointer(beside);
    return xstrdup(SCOPEFS_LIBEXECDIR "/scopefs-stage2");
}

static int open_stage2(struct descriptors *descriptors, struct error **error)
{
    cleanup_free char *path = sandbox_stage2_path();
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
                              const struct sandbox_plan *plan, const struct view_mount *view,
                              int channel, struct error **error)
{
    cleanup_strbuf struct strbuf arguments = {0};
    if (bwrap_arguments_add_plan(&arguments, plan, give_memory, descriptors, error) < 0)
        return -1;
    int arguments_fd = give_memory(descriptors, arguments.bytes, arguments.length, error);
    int stage2_fd = open_stage2(descriptors, error);
    if (arguments_fd < 0 || stage2_fd < 0)
        return -1;
    cleanup_free char *number = xasprintf("%d", arguments_fd);
    add_word(line, "bwrap");
    add_word(line, "--args");
    add_word(line, number);
    add_word(line, "--");
    bwrap_arguments_add_command(line, plan, stage2_fd, channel, view);
    return 0;
}

static int pass_on(const struct descriptors *descriptors)
{
    for (size_t i = 0; i < descriptors->count; i++)
        if (fcntl(descriptors->items[i], F_SETFD, 0) < 0)
            return -1;
    return 0;
}

static _Noreturn void become_bwrap(const char *bwrap, const char *const *arguments,
                                   const struct descriptors *descriptors, int channel,
                                   const struct identity *identity)
{
    /* bwrap's first process shows its environment to the command, as /proc/1/environ. */
    static char *const no_environment[] = {NULL};
    process_prepare_child();
    /* bwrap asks for the same a little later; changing the user has reset it. */
    if (chdir("/") == 0 && identity_become(identity) == 0 && pass_on(descriptors) == 0 &&
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0)
        execve(bwrap, (char *const *)arguments, no_environment);
    fprintf(stderr, "scopefs-exec: cannot start %s as uid %u: %s\n", bwrap, identity->uid,
            strerror(errno));
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

int sandbox_start(struct sandbox *sandbox, const char *bwrap, const struct sandbox_plan *plan,
                  const struct view_mount *view, const struct identity *identity,
                  struct error **error)
{
    __attribute__((cleanup(close_descriptors))) struct descriptors descriptors = {0};
    cleanup_strbuf struct strbuf line = {0};
    int ends[2] = {-1, -1};
    if (open_channel(ends, error) < 0)
        return -1;
    cleanup_fd int ours = ends[0];
    int theirs = keep(&descriptors, ends[1]);
    if (build_command_line(&line, &descriptors, plan, view, theirs, error) < 0)
        return -1;
    cleanup_free const char **arguments = bwrap_arguments_split(&line);

    sandbox->bwrap = fork();
    if (sandbox->bwrap < 0)
        return error_set(error, errno, "cannot start bwrap");
    if (sandbox->bwrap == 0)
        become_bwrap(bwrap, arguments, &descriptors, theirs, identity);
    sandbox->channel = fd_steal(&ours);
    return 0;
}
