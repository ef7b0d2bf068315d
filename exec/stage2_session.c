#include "stage2_session.h"

#include "session_gate.h"
#include "stage2.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the first argument, the 32 bits that the kernel reads. */
#define FIRST_ARGUMENT                                                                             \
    (offsetof(struct seccomp_data, args) + (BYTE_ORDER == BIG_ENDIAN ? sizeof(uint32_t) : 0))

int stage2_session_observe(void)
{
    /* The sandbox's own filter has made sure of the architecture. */
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIRST_ARGUMENT),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SESSION_GATE_END, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SESSION_GATE_FIRST, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    const struct sock_fprog program = {
        .len = sizeof(instructions) / sizeof(instructions[0]),
        .filter = instructions,
    };
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

int stage2_session_report(int channel, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {0};
    char text[] = STAGE2_READY;
    struct iovec part = {.iov_base = text, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
    return sendmsg(channel, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int stage2_session_open_terminal(void)
{
    char name[64];
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
        ptsname_r(master, name, sizeof(name)) != 0)
        return -1;
    int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, STDIN_FILENO) < 0 ||
        dup2(slave, STDOUT_FILENO) < 0 || dup2(slave, STDERR_FILENO) < 0)
        return -1;
    return master;
}

static int become(const char *const *bash, const char *const *sh, int complaints)
{
    execv("/bin/bash", (char *const *)bash);
    execv("/usr/bin/bash", (char *const *)bash);
    execv("/bin/sh", (char *const *)sh);
    int failure = errno;
    dprintf(complaints, "scopefs-exec: a session needs bash or sh in the sandbox: %s\n",
            strerror(failure));
    return failure == ENOENT ? 127 : 126;
}

int stage2_session_become_terminal_shell(void)
{
    static const char *const bash[] = {"bash", "-i", NULL};
    static const char *const sh[] = {"sh", "-i", NULL};
    return become(bash, sh, STDERR_FILENO);
}

int stage2_session_become_shell(void)
{
    static const char *const bash[] = {"bash", "--norc", "--noprofile", "--noediting", "-i", NULL};
    static const char *const sh[] = {"sh", "-i", NULL};
    int complaints = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    /* A shell that greets does it before anybody listens. */
    if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
        return 125;
    return become(bash, sh, complaints);
}
