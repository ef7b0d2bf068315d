#include "config.h"

#include "network_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>

#ifndef SANITIZED
static const char *const relay_calls[] = {
    "read",           "write",        "recvfrom",        "sendto",
    "poll",           "ppoll",        "shutdown",        "close",
    "clock_gettime",  "exit",         "exit_group",      "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "restart_syscall", "brk",
    "mmap",           "munmap",       "mprotect",        "madvise",
    "futex",          "getrandom",    "gettimeofday",    NULL,
};

/* The loop, and what the C library's name services use: files, a local daemon's socket or shared
 * memory, name servers. */
static const char *const other_calls[] = {
    "lseek",
    "fstat",
    "newfstatat",
    "statx",
    "stat",
    "lstat",
    "fstatfs",
    "statfs",
    "getdents64",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "pread64",
    "readv",
    "writev",
    "fcntl",
    "ioctl",
    "socket",
    "socketpair",
    "connect",
    "bind",
    "getsockname",
    "getpeername",
    "getsockopt",
    "setsockopt",
    "recvmsg",
    "recvmmsg",
    "sendmsg",
    "sendmmsg",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "select",
    "pselect6",
    "eventfd2",
    "pipe2",
    "timerfd_create",
    "timerfd_settime",
    "dup",
    "mremap",
    "clone",
    "clone3",
    "fork",
    "vfork",
    "wait4",
    "waitid",
    "set_robust_list",
    "set_tid_address",
    "rseq",
    "prlimit64",
    "getrlimit",
    "uname",
    "getpid",
    "getppid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getcwd",
    "alarm",
    "setitimer",
    "nanosleep",
    "clock_nanosleep",
    "clock_getres",
    "sched_yield",
    "sched_getaffinity",
    "sysinfo",
    "tgkill",
    "sigaltstack",
    "membarrier",
    "seccomp",
    "prctl",
    "umask",
    NULL,
};

static int allow(scmp_filter_ctx filter, const char *const *names)
{
    for (; *names; names++) {
        int number = seccomp_syscall_resolve_name(*names);
        int result = number < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
        if (result < 0)
            return result;
    }
    return 0;
}

/* Opening for reading alone. */
static int allow_reading(scmp_filter_ctx filter)
{
    const scmp_datum_t changes = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, changes, 0));
    if (result == 0 && SCMP_SYS(open) >= 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, changes, 0));
    return result;
}

static int load(bool may_resolve)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int result = filter ? allow(filter, relay_calls) : -ENOMEM;
    if (result == 0 && may_resolve)
        result = allow(filter, other_calls);
    if (result == 0 && may_resolve)
        result = allow_reading(filter);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    errno = -result;
    return result < 0 ? -1 : 0;
}
#else
/* A sanitizer's runtime has needs of its own. */
static int load(bool may_resolve)
{
    (void)may_resolve;
    return 0;
}
#endif

int network_confine(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -1;
    return load(true);
}

int network_confine_to_relay(void)
{
    return load(false);
}
