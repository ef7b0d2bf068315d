/*
 * The system call filter, by running its program here on made-up calls: no call is made, so that a
 * hole in it harms nothing. At the end the kernel is asked whether it takes the program too.
 */
#include "../tap.h"

#include "../../exec/seccomp_filter.h"
#include "scopefs/strbuf.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEWEST 466 /* removexattrat, counted as on x86_64 */

static const struct sock_filter *program;
static size_t program_length;

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
    uint32_t word;
    memcpy(&word, (const char *)data + offset, sizeof(word));
    return word;
}

static bool jumps(const struct sock_filter *instruction, uint32_t accumulator)
{
    switch (BPF_OP(instruction->code)) {
    case BPF_JEQ:
        return accumulator == instruction->k;
    case BPF_JGT:
        return accumulator > instruction->k;
    case BPF_JGE:
        return accumulator >= instruction->k;
    default:
        return (accumulator & instruction->k) != 0;
    }
}

/* What the filter says of a call. Knows the instructions that libseccomp writes; any other ends the
 * test as a wrong answer. */
static uint32_t answer(const struct seccomp_data *data)
{
    uint32_t accumulator = 0;
    for (size_t at = 0; at < program_length; at++) {
        const struct sock_filter *instruction = &program[at];
        switch (instruction->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            accumulator = load(data, instruction->k);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            accumulator &= instruction->k;
            break;
        case BPF_JMP | BPF_JA:
            at += instruction->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
        case BPF_JMP | BPF_JGT | BPF_K:
        case BPF_JMP | BPF_JGE | BPF_K:
        case BPF_JMP | BPF_JSET | BPF_K:
            at += jumps(instruction, accumulator) ? instruction->jt : instruction->jf;
            break;
        case BPF_RET | BPF_K:
            return instruction->k;
        default:
            diag("instruction %zu is unknown: %#x", at, instruction->code);
            return 1;
        }
    }
    return 1;
}

static uint32_t answer_to(int number, uint64_t first, uint64_t second, uint64_t third)
{
    struct seccomp_data data = {
        .nr = number, .arch = seccomp_arch_native(), .args = {first, second, third}};
    return answer(&data);
}

static bool is_error(uint32_t action, int number)
{
    return action == (SECCOMP_RET_ERRNO | (uint32_t)number);
}

static void test_refused_names(void)
{
    static const char *const names[] = {
        "mount",
        "umount2",
        "pivot_root",
        "chroot",
        "open_tree",
        "move_mount",
        "fsopen",
        "fsconfig",
        "fsmount",
        "fspick",
        "mount_setattr",
        "unshare",
        "setns",
        "bpf",
        "perf_event_open",
        "userfaultfd",
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "keyctl",
        "add_key",
        "request_key",
        "open_by_handle_at",
        "name_to_handle_at",
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "pidfd_getfd",
        "kcmp",
        "kexec_load",
        "init_module",
        "finit_module",
        "delete_module",
        "swapon",
        "swapoff",
        "reboot",
        "acct",
        "quotactl",
        "syslog",
        "clock_settime",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        ok(number < 0 || is_error(answer_to(number, 0, 0, 0), EPERM), "%s is refused", names[i]);
    }
    ok(is_error(answer_to(SCMP_SYS(clone3), 0, 0, 0), ENOSYS), "clone3 does not exist");
}

static void test_allowed_names(void)
{
    static const char *const names[] = {
        "read",
        "write",
        "openat",
        "openat2",
        "close_range",
        "execve",
        "execveat",
        "fork",
        "vfork",
        "wait4",
        "mmap",
        "mprotect",
        "futex",
        "rt_sigaction",
        "kill",
        "pidfd_open",
        "epoll_wait",
        "inotify_init1",
        "memfd_create",
        "statx",
        "getdents64",
        "renameat2",
        "linkat",
        "fsetxattr",
        "flock",
        "fcntl",
        "sendmsg",
        "recvmsg",
        "bind",
        "connect",
        "prctl",
        "seccomp",
        "rseq",
        "landlock_create_ruleset",
        "getrandom",
        "sched_setaffinity",
        "setpriority",
        "mknodat",
        "copy_file_range",
        "faccessat2",
        "clock_gettime",
        "timerfd_create",
        "setsid",
        "chmod",
        "splice",
        "shmget",
        "msgget",
        "semget",
        "mq_open",
        "membarrier",
        "io_setup",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        ok(number < 0 || answer_to(number, 0, 0, 0) == SECCOMP_RET_ALLOW, "%s is allowed",
           names[i]);
    }
}

static void test_numbers(void)
{
    int base = SCMP_SYS(openat2) - 437;
    ok(answer_to(base + 452, 0, 0, 0) == SECCOMP_RET_ALLOW, "fchmodat2 is allowed");
    ok(answer_to(base + NEWEST, 0, 0, 0) == SECCOMP_RET_ALLOW, "the newest reviewed is allowed");
    bool unknown = true;
    for (int number = base + NEWEST + 1; number < base + 2000; number++)
        unknown = unknown && is_error(answer_to(number, 0, 0, 0), ENOSYS);
    ok(unknown, "newer calls do not exist");
    ok(is_error(answer_to(-1, 0, 0, 0), ENOSYS), "nor does call -1");
}

static void test_architectures(void)
{
#ifdef __x86_64__
    struct seccomp_data data = {.nr = 4, .arch = AUDIT_ARCH_I386};
    ok(answer(&data) == SECCOMP_RET_KILL_PROCESS, "a 32-bit call ends the process");
    data.nr = 100000;
    ok(answer(&data) == SECCOMP_RET_KILL_PROCESS, "also one that is too new");
    data.nr = SCMP_SYS(personality);
    ok(answer(&data) == SECCOMP_RET_KILL_PROCESS, "also one whose number is another's here");
    bool unknown = true;
    for (int number = 0; number < 600; number++)
        unknown = unknown && is_error(answer_to(0x40000000 | number, 0, 0, 0), ENOSYS);
    ok(unknown, "x32 calls do not exist");
#endif
}

static void test_clone(void)
{
    static const struct {
        const char *name;
        uint64_t flag;
    } flags[] = {
        {"CLONE_NEWNS", CLONE_NEWNS},         {"CLONE_NEWUTS", CLONE_NEWUTS},
        {"CLONE_NEWIPC", CLONE_NEWIPC},       {"CLONE_NEWUSER", CLONE_NEWUSER},
        {"CLONE_NEWPID", CLONE_NEWPID},       {"CLONE_NEWNET", CLONE_NEWNET},
        {"CLONE_NEWCGROUP", CLONE_NEWCGROUP},
    };
    const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                            CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                            CLONE_CHILD_CLEARTID;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        ok(is_error(answer_to(SCMP_SYS(clone), flags[i].flag | SIGCHLD, 0, 0), EPERM),
           "clone with %s is refused", flags[i].name);
        ok(is_error(answer_to(SCMP_SYS(clone), flags[i].flag | 1ULL << 40, 0, 0), EPERM),
           "also beside a bit that the kernel does not read");
    }
    ok(is_error(answer_to(SCMP_SYS(clone), CLONE_NEWUSER | CLONE_NEWNS, 0, 0), EPERM),
       "clone with two of them is refused");
    ok(answer_to(SCMP_SYS(clone), SIGCHLD, 0, 0) == SECCOMP_RET_ALLOW, "fork by clone is allowed");
    ok(answer_to(SCMP_SYS(clone), thread, 0, 0) == SECCOMP_RET_ALLOW, "a thread is allowed");
}

static void test_ioctl(void)
{
    static const uint64_t refused[] = {TIOCSTI, TIOCLINUX, TIOCSETD};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        ok(is_error(answer_to(SCMP_SYS(ioctl), 0, refused[i], 0), EPERM), "ioctl %#llx is refused",
           (unsigned long long)refused[i]);
        ok(is_error(answer_to(SCMP_SYS(ioctl), 0, refused[i] | 1ULL << 32, 0), EPERM),
           "also with a bit that the kernel does not read");
    }
    ok(answer_to(SCMP_SYS(ioctl), 0, TIOCGWINSZ, 0) == SECCOMP_RET_ALLOW,
       "the window size may be asked for");
}

static void test_sockets(void)
{
    for (uint64_t family = 0; family < 50; family++) {
        uint32_t got = answer_to(SCMP_SYS(socket), family, SOCK_STREAM, 0);
        bool allowed =
            family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
        ok(allowed ? got == SECCOMP_RET_ALLOW : is_error(got, EAFNOSUPPORT),
           "socket family %d is %s", (int)family, allowed ? "allowed" : "not supported");
    }
    ok(is_error(answer_to(SCMP_SYS(socket), AF_PACKET | 1ULL << 32, 0, 0), EAFNOSUPPORT),
       "a family beside a bit that the kernel does not read is refused");
    for (uint64_t protocol = 1; protocol < 30; protocol++)
        if (!is_error(answer_to(SCMP_SYS(socket), AF_NETLINK, 0, protocol), EPROTONOSUPPORT))
            ok(false, "netlink protocol %d is refused", (int)protocol);
    ok(is_error(answer_to(SCMP_SYS(socket), AF_NETLINK, 0, 1ULL << 32 | 12), EPROTONOSUPPORT),
       "every netlink protocol but route is refused");
}

static void test_personality(void)
{
    static const struct {
        uint64_t value;
        bool allowed;
    } cases[] = {
        {0, true},         {8, true},         {0xffffffff, true}, {0x20000, true},
        {0x20008, true},   {0x40000, true},   {1, false},         {6, false},
        {0x400000, false}, {0x100000, false}, {0x40001, false},   {0x7fffffff, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t got = answer_to(SCMP_SYS(personality), cases[i].value, 0, 0);
        ok(cases[i].allowed ? got == SECCOMP_RET_ALLOW : is_error(got, EPERM),
           "personality %#llx is %s", (unsigned long long)cases[i].value,
           cases[i].allowed ? "allowed" : "refused");
        got = answer_to(SCMP_SYS(personality), cases[i].value | 1ULL << 32, 0, 0);
        ok((got == SECCOMP_RET_ALLOW) == cases[i].allowed, "whatever its higher bits are");
    }
}

/* Ends with 0 when the kernel took the program and refuses by it. */
static int try_in_kernel(void)
{
    struct sock_fprog loaded = {.len = (unsigned short)program_length,
                                .filter = (struct sock_filter *)program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return 1;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) < 0)
        return 2;
    if (socket(AF_PACKET, SOCK_RAW, 0) >= 0 || errno != EAFNOSUPPORT)
        return 3;
    return unshare(CLONE_NEWUTS) < 0 && errno == EPERM ? 0 : 4;
}

static void test_kernel(void)
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(try_in_kernel());
    waitpid(child, &status, 0);
    is_int(status, 0, "the kernel takes the filter and heeds it");
}

int main(void)
{
    cleanup_strbuf struct strbuf bytes = {0};
    ok(seccomp_filter_make(&bytes, false, NULL) == 0, "the filter is made");
    program = (const struct sock_filter *)(const void *)bytes.bytes;
    program_length = bytes.length / sizeof(*program);
    test_refused_names();
    test_allowed_names();
    test_numbers();
    test_architectures();
    test_clone();
    test_ioctl();
    test_sockets();
    test_personality();
    test_kernel();
    return done_testing();
}
