#include "config.h"

#include "confine.h"

#include "privilege.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"

#include <errno.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of linux/landlock.h; each ABI added rights that an older kernel refuses to handle. */
static __u64 landlock_rights(long abi)
{
    __u64 rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    if (abi >= 2)
        rights |= 1ULL << 13; /* REFER */
    if (abi >= 3)
        rights |= 1ULL << 14; /* TRUNCATE */
    return rights;
}

/* Only what is below the source can be opened, made, renamed or removed from now on. ABI 1 has no
 * right to rename between directories, so it is of no use here. */
static int restrict_paths(const struct view *view, struct error **error)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 2) {
        log_warning("%s: this kernel has no Landlock (ABI 2 or later), so the server is not "
                    "confined to the source",
                    view->name);
        return 0;
    }
    struct landlock_ruleset_attr ruleset = {.handled_access_fs = landlock_rights(abi)};
    cleanup_fd int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
    struct landlock_path_beneath_attr source = {
        .allowed_access = ruleset.handled_access_fs,
        .parent_fd = view->root_fd,
    };
    if (fd < 0 || syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &source, 0) < 0 ||
        syscall(SYS_landlock_restrict_self, fd, 0) < 0)
        return error_set(error, errno, "cannot confine the server to the source by Landlock");
    return 0;
}

#ifndef SANITIZED
/* What libc, libfuse, PCRE2 and the operations use. */
static const char *const allowed_calls[] = {
    /* files */
    "openat",
    "openat2",
    "close",
    "read",
    "readv",
    "pread64",
    "preadv",
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "preadv2",
    "lseek",
    "fcntl",
    "flock",
    "dup",
    "fstat",
    "newfstatat",
    "statx",
    "fstatfs",
    "statfs",
    "getdents64",
    "readlinkat",
    "readlink",
    "faccessat",
    "faccessat2",
    "ioctl",
    /* changes */
    "mkdirat",
    "mknodat",
    "unlinkat",
    "symlinkat",
    "linkat",
    "renameat",
    "renameat2",
    "fchmodat",
    "fchmod",
    "fchmodat2",
    "fchownat",
    "fchown",
    "utimensat",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "copy_file_range",
    "umask",
    "inotify_add_watch",
    "inotify_rm_watch",
    "capget",
    "capset",
    "setxattr",
    "getxattr",
    "listxattr",
    "removexattr",
    "fsetxattr",
    "fgetxattr",
    "flistxattr",
    "fremovexattr",
    /* data to and from the kernel */
    "splice",
    "vmsplice",
    "tee",
    "pipe2",
    "pipe",
    "poll",
    "ppoll",
    /* the supervisor */
    "recvfrom",
    "recvmsg",
    "sendto",
    "sendmsg",
    /* memory and threads */
    "mmap",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "brk",
    "futex",
    "clone",
    "clone3",
    "set_robust_list",
    "rseq",
    "exit",
    "exit_group",
    "sched_yield",
    "sched_getaffinity",
    "getrandom",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getpid",
    "tgkill",
    "prctl",
    "membarrier",
    /* time and signals */
    "clock_gettime",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigsuspend",
    "restart_syscall",
    "sigaltstack",
};

/* Everything else is answered as by a kernel that has not got it. */
static int restrict_calls(struct error **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!filter)
        return error_set(error, 0, "libseccomp could not make a filter");
    int failed = 0;
    for (size_t i = 0; !failed && i < sizeof(allowed_calls) / sizeof(allowed_calls[0]); i++) {
        int number = seccomp_syscall_resolve_name(allowed_calls[i]);
        if (number >= 0)
            failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    }
    if (!failed) /* a umask of its own for each thread, see creator.c */
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(unshare), 1,
                                  SCMP_A0(SCMP_CMP_EQ, CLONE_FS, 0));
    if (!failed)
        failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (!failed)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    return failed ? error_set(error, -failed, "cannot load the server's system call filter") : 0;
}
#endif

int confine_server(const struct view *view, struct error **error)
{
    if (privilege_drop(error) < 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return error_set(error, errno, "cannot give up privileges");
    if (restrict_paths(view, error) < 0)
        return -1;
#ifdef SANITIZED
    log_warning("%s: built with sanitizers, so the server's system calls are not restricted",
                view->name);
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
#else
    return restrict_calls(error);
#endif
}
