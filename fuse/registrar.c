#include "config.h"

#include "registrar.h"

#include "privilege.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ioctl.h>
#include <linux/types.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* linux/fuse.h since 6.9 */
struct backing_map {
    int32_t fd;
    uint32_t flags;
    uint64_t padding;
};
#define BACKING_OPEN  _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

/* A descriptor comes with `close_id` 0, else the id is to be forgotten. */
struct message {
    int32_t close_id;
};

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

struct registrar {
    int socket_fd, fuse_fd, source_fd, proc_fd;
    bool submounts;
    uint64_t mount_id; /* of the source */
};

static uint64_t mount_of(int fd, mode_t *type)
{
    struct statx found;
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_MNT_ID, &found) < 0 ||
        !(found.stx_mask & STATX_MNT_ID))
        return 0;
    *type = found.stx_mode & S_IFMT;
    return found.stx_mnt_id;
}

static bool path_of(const struct registrar *registrar, int fd, char path[PATH_MAX])
{
    char name[16];
    snprintf(name, sizeof(name), "%d", fd);
    ssize_t length = readlinkat(registrar->proc_fd, name, path, PATH_MAX - 1);
    if (length <= 0 || length == PATH_MAX - 1)
        return false;
    path[length] = '\0';
    return true;
}

static bool is_below_source(const struct registrar *registrar, int fd)
{
    char source[PATH_MAX], path[PATH_MAX];
    if (!path_of(registrar, registrar->source_fd, source) || !path_of(registrar, fd, path))
        return false;
    size_t length = strcmp(source, "/") == 0 ? 0 : strlen(source);
    return strncmp(path, source, length) == 0 && path[length] == '/';
}

/* O_PATH would do for the kernel, but shows nothing: Landlock lets it pass everywhere. */
static int check_file(const struct registrar *registrar, int fd)
{
    mode_t type = 0;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_PATH))
        return -EBADF;
    uint64_t mount_id = mount_of(fd, &type);
    if (!S_ISREG(type))
        return -EINVAL;
    if (!registrar->submounts && mount_id != registrar->mount_id)
        return -EXDEV;
    return is_below_source(registrar, fd) ? 0 : -EXDEV;
}

static int register_file(const struct registrar *registrar, int fd)
{
    struct backing_map map = {.fd = fd};
    int refused = check_file(registrar, fd);
    if (refused)
        return refused;
    int id = ioctl(registrar->fuse_fd, BACKING_OPEN, &map);
    return id < 0 ? -errno : id;
}

/* False at the end of the socket and for nonsense. */
static bool receive(int socket_fd, struct message *message, int *fd)
{
    union control control;
    struct iovec vector = {.iov_base = message, .iov_len = sizeof(*message)};
    struct msghdr header = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    *fd = -1;
    ssize_t got = recvmsg(socket_fd, &header, MSG_CMSG_CLOEXEC);
    if (got != (ssize_t)sizeof(*message))
        return false;
    struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS &&
        first->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(fd, CMSG_DATA(first), sizeof(*fd));
    return true;
}

static void serve(const struct registrar *registrar)
{
    struct message message;
    cleanup_fd int fd = -1;
    while (receive(registrar->socket_fd, &message, &fd)) {
        if (message.close_id) {
            uint32_t id = (uint32_t)message.close_id;
            ioctl(registrar->fuse_fd, BACKING_CLOSE, &id);
        } else {
            int32_t result = register_file(registrar, fd);
            if (send(registrar->socket_fd, &result, sizeof(result), MSG_NOSIGNAL) < 0)
                return;
        }
        fd_close(&fd);
    }
}

/* Moves the descriptors to the lowest numbers and closes all others. */
static int keep_descriptors(struct registrar *registrar)
{
    int *kept[] = {&registrar->socket_fd, &registrar->fuse_fd, &registrar->source_fd,
                   &registrar->proc_fd};
    int count = sizeof(kept) / sizeof(kept[0]);
    for (int i = 0; i < count; i++)
        if ((*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, count)) < 0)
            return -1;
    for (int i = 0; i < count; i++) {
        if (dup3(*kept[i], i, O_CLOEXEC) < 0)
            return -1;
        *kept[i] = i;
    }
    return close_range((unsigned)count, ~0U, 0);
}

static int restrict_calls(const struct registrar *registrar)
{
#ifdef SANITIZED
    (void)registrar;
    return 0;
#else
    static const int allowed[] = {
        SCMP_SYS(recvmsg),    SCMP_SYS(sendto), SCMP_SYS(statx),      SCMP_SYS(fcntl),
        SCMP_SYS(readlinkat), SCMP_SYS(close),  SCMP_SYS(exit_group),
    };
    static const unsigned long commands[] = {BACKING_OPEN, BACKING_CLOSE};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int failed = filter ? 0 : -ENOMEM;
    for (size_t i = 0; !failed && i < sizeof(allowed) / sizeof(allowed[0]); i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; !failed && i < sizeof(commands) / sizeof(commands[0]); i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2,
                                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)registrar->fuse_fd, 0),
                                  SCMP_A1(SCMP_CMP_EQ, commands[i], 0));
    if (!failed)
        failed = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return failed;
#endif
}

static _Noreturn void be_registrar(struct registrar *registrar, pid_t server)
{
    sigset_t all;
    mode_t type;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    registrar->proc_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    registrar->mount_id = mount_of(registrar->source_fd, &type);
    if (getppid() != server || registrar->proc_fd < 0 || registrar->mount_id == 0 ||
        keep_descriptors(registrar) < 0 || privilege_keep_admin() != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        restrict_calls(registrar) != 0)
        _exit(1);
    serve(registrar);
    _exit(0);
}

int registrar_start(int fuse_fd, int source_fd, bool submounts, struct error **error)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_set(error, errno, "cannot make a socket pair");
    struct registrar registrar = {
        .socket_fd = ends[1],
        .fuse_fd = fuse_fd,
        .source_fd = source_fd,
        .submounts = submounts,
    };
    pid_t server = getpid(), child = fork();
    if (child == 0)
        be_registrar(&registrar, server);
    fd_close(&ends[1]);
    if (child < 0) {
        fd_close(&ends[0]);
        return error_set(error, errno, "cannot start a process");
    }
    return ends[0];
}

int registrar_open(int socket_fd, int fd)
{
    struct message message = {0};
    union control control = {0};
    struct iovec vector = {.iov_base = &message, .iov_len = sizeof(message)};
    struct msghdr header = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    control.header = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET,
        .cmsg_type = SCM_RIGHTS,
        .cmsg_len = CMSG_LEN(sizeof(int)),
    };
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    int32_t result;
    if (sendmsg(socket_fd, &header, MSG_NOSIGNAL) < 0)
        return -EPIPE;
    ssize_t got;
    do
        got = recv(socket_fd, &result, sizeof(result), 0);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(result) && result != 0 ? result : -EPIPE;
}

void registrar_close(int socket_fd, int id)
{
    struct message message = {.close_id = id};
    send(socket_fd, &message, sizeof(message), MSG_NOSIGNAL);
}
