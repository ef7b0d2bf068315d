#include "seccomp_filter.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <unistd.h>

/* Since Linux 5.1 new calls have one number on all architectures, apart from an offset that some
 * have for all of theirs. openat2 (5.6) is the newest that the oldest supported libseccomp (2.5.0)
 * knows; newer ones are counted from it. */
#define COUNTED_FROM        "openat2"
#define COUNTED_FROM_NUMBER 437
/* removexattrat (Linux 6.13). Whoever raises it looks at every call in between. */
#define NEWEST_REVIEWED 466

struct refused_call {
    const char *name;
    int error;
    int number; /* as counted above, where an older libseccomp may not know the name; else 0 */
};

static const struct refused_call refused_calls[] = {
    /* What is mounted where, and what the root is. */
    {"mount", EPERM, 0},
    {"umount", EPERM, 0},
    {"umount2", EPERM, 0},
    {"pivot_root", EPERM, 0},
    {"chroot", EPERM, 0},
    {"open_tree", EPERM, 0},
    {"move_mount", EPERM, 0},
    {"fsopen", EPERM, 0},
    {"fsconfig", EPERM, 0},
    {"fsmount", EPERM, 0},
    {"fspick", EPERM, 0},
    {"mount_setattr", EPERM, 442},
    /* Namespaces; clone itself is looked at by flag. clone3 takes its flags in memory, where no
     * filter sees them, and the C library does without it. */
    {"unshare", EPERM, 0},
    {"setns", EPERM, 0},
    {"clone3", ENOSYS, 0},
    /* Large kernel interfaces with a record of holes, which builds and tests do not need. */
    {"bpf", EPERM, 0},
    {"perf_event_open", EPERM, 0},
    {"userfaultfd", EPERM, 0},
    {"io_uring_setup", EPERM, 0},
    {"io_uring_enter", EPERM, 0},
    {"io_uring_register", EPERM, 0},
    {"fanotify_init", EPERM, 0},
    {"lookup_dcookie", EPERM, 0},
    /* Keyrings are not in any namespace of the sandbox. */
    {"keyctl", EPERM, 0},
    {"add_key", EPERM, 0},
    {"request_key", EPERM, 0},
    /* Files by handle instead of by path. */
    {"open_by_handle_at", EPERM, 0},
    {"name_to_handle_at", EPERM, 0},
    /* Other processes' memory and descriptors. */
    {"process_madvise", EPERM, 440},
    {"pidfd_getfd", EPERM, 438},
    {"kcmp", EPERM, 0},
    {"move_pages", EPERM, 0},
    {"migrate_pages", EPERM, 0},
    /* The machine as a whole. */
    {"kexec_load", EPERM, 0},
    {"kexec_file_load", EPERM, 0},
    {"init_module", EPERM, 0},
    {"finit_module", EPERM, 0},
    {"delete_module", EPERM, 0},
    {"create_module", EPERM, 0},
    {"swapon", EPERM, 0},
    {"swapoff", EPERM, 0},
    {"reboot", EPERM, 0},
    {"acct", EPERM, 0},
    {"quotactl", EPERM, 0},
    {"quotactl_fd", EPERM, 443},
    {"syslog", EPERM, 0},
    {"settimeofday", EPERM, 0},
    {"clock_settime", EPERM, 0},
    {"clock_settime64", EPERM, 0},
    {"stime", EPERM, 0},
    {"sethostname", EPERM, 0},
    {"setdomainname", EPERM, 0},
    {"vhangup", EPERM, 0},
    {"nfsservctl", EPERM, 0},
    {"lsm_set_self_attr", EPERM, 460},
    /* Hardware, and relics. */
    {"iopl", EPERM, 0},
    {"ioperm", EPERM, 0},
    {"modify_ldt", EPERM, 0},
    {"vm86", EPERM, 0},
    {"vm86old", EPERM, 0},
    {"pciconfig_read", EPERM, 0},
    {"pciconfig_write", EPERM, 0},
    {"uselib", EPERM, 0},
    {"ustat", EPERM, 0},
    {"sysfs", EPERM, 0},
    {"_sysctl", EPERM, 0},
    {"socketcall", ENOSYS, 0}, /* hides the family from the filter; 32-bit architectures only */
};

/* What debuggers are made of. The processes that they reach are those of the sandbox. */
static const struct refused_call tracing_calls[] = {
    {"ptrace", EPERM, 0},
    {"process_vm_readv", EPERM, 0},
    {"process_vm_writev", EPERM, 0},
};

/* Execution domains that change nothing but names and layout; anything else is another kernel's
 * interface. 0xffffffff asks which one it is. */
static const uint32_t allowed_personalities[] = {
    PER_LINUX, PER_LINUX32, UNAME26, UNAME26 | PER_LINUX32, ADDR_NO_RANDOMIZE, 0xffffffff,
};

/* Not CLONE_NEWTIME: only clone3 and unshare take it, for clone its bit belongs to the signal
 * number. */
static const unsigned long namespace_flags[] = {
    CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,    CLONE_NEWUSER,
    CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP,
};

static const unsigned long refused_ioctls[] = {
    TIOCSTI,   /* types into the caller's terminal */
    TIOCLINUX, /* pastes into a console */
    TIOCSETD,  /* loads line disciplines */
};

/* 0 when the name means nothing on this architecture, which then has no such call. */
static int refuse_call(scmp_filter_ctx filter, const struct refused_call *call, int counting_base)
{
    int number = seccomp_syscall_resolve_name(call->name);
    if (number == __NR_SCMP_ERROR && call->number)
        number = counting_base + call->number;
    if (number < 0)
        return 0;
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)call->error), number, 0);
}

static int refuse_namespaces(scmp_filter_ctx filter)
{
#if defined(__s390__) || defined(__CRIS__)
    unsigned flags_argument = 1;
#else
    unsigned flags_argument = 0;
#endif
    for (size_t i = 0; i < sizeof(namespace_flags) / sizeof(namespace_flags[0]); i++) {
        unsigned long flag = namespace_flags[i];
        int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                      SCMP_CMP(flags_argument, SCMP_CMP_MASKED_EQ, flag, flag));
        if (result < 0)
            return result;
    }
    return 0;
}

static int refuse_ioctls(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof(refused_ioctls) / sizeof(refused_ioctls[0]); i++) {
        /* The kernel reads 32 bits of it: a set higher bit must not make it another number. */
        int result = seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
            SCMP_CMP(1, SCMP_CMP_MASKED_EQ, 0xffffffff, refused_ioctls[i] & 0xffffffff));
        if (result < 0)
            return result;
    }
    return 0;
}

/* Unix, IPv4 and IPv6 sockets, and the netlink protocol with which addresses are listed. The
 * comparisons are of 64 bits while the kernel reads 32: a value with higher bits is refused. */
static int refuse_socket_families(scmp_filter_ctx filter)
{
    uint32_t refusal = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    int result =
        seccomp_rule_add(filter, refusal, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0));
    for (unsigned family = 0; family < AF_NETLINK && result == 0; family++)
        if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
            result = seccomp_rule_add(filter, refusal, SCMP_SYS(socket), 1,
                                      SCMP_A0(SCMP_CMP_EQ, family, 0));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), 2,
                                  SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0),
                                  SCMP_A2(SCMP_CMP_NE, NETLINK_ROUTE, 0));
    return result;
}

static int add_rules(scmp_filter_ctx filter, bool with_tracing, int counting_base)
{
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    for (size_t i = 0; i < sizeof(refused_calls) / sizeof(refused_calls[0]) && result == 0; i++)
        result = refuse_call(filter, &refused_calls[i], counting_base);
    for (size_t i = 0; i < sizeof(tracing_calls) / sizeof(tracing_calls[0]) && result == 0; i++)
        result = with_tracing ? 0 : refuse_call(filter, &tracing_calls[i], counting_base);
    if (result == 0)
        result = refuse_namespaces(filter);
    if (result == 0)
        result = refuse_ioctls(filter);
    if (result == 0)
        result = refuse_socket_families(filter);
    return result;
}

/* --- What libseccomp cannot say: an upper bound for numbers, and "none of these values" --- */

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define SKIP_IF_EQUAL(value, count)                                                                \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), (uint8_t)(count), 0)
#define SKIP_UNLESS_EQUAL(value, count)                                                            \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, (uint8_t)(count))
#define SKIP_UNLESS_GREATER(value, count)                                                          \
    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)(value), 0, (uint8_t)(count))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (uint32_t)(action))

/* Of the first argument, the 32 bits that the kernel reads. */
#define FIRST_ARGUMENT                                                                             \
    (offsetof(struct seccomp_data, args) + (BYTE_ORDER == BIG_ENDIAN ? sizeof(uint32_t) : 0))

#define PERSONALITIES (sizeof(allowed_personalities) / sizeof(allowed_personalities[0]))

/* These instructions stand in front of libseccomp's, to which they fall through. */
static void add_prelude(struct strbuf *program, int counting_base)
{
    const struct sock_filter head[] = {
        LOAD(offsetof(struct seccomp_data, arch)),
        SKIP_IF_EQUAL(seccomp_arch_native(), 1),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(offsetof(struct seccomp_data, nr)),
        /* Also the x32 numbers, which have bit 30 set. */
        SKIP_UNLESS_GREATER(counting_base + NEWEST_REVIEWED, 1),
        RETURN(SECCOMP_RET_ERRNO | ENOSYS),
        SKIP_UNLESS_EQUAL(SCMP_SYS(personality), PERSONALITIES + 3),
        LOAD(FIRST_ARGUMENT),
    };
    strbuf_add(program, head, sizeof(head));
    for (size_t i = 0; i < PERSONALITIES; i++) {
        const struct sock_filter one = SKIP_IF_EQUAL(allowed_personalities[i], PERSONALITIES - i);
        strbuf_add(program, &one, sizeof(one));
    }
    const struct sock_filter tail[] = {
        RETURN(SECCOMP_RET_ERRNO | EPERM),
        RETURN(SECCOMP_RET_ALLOW),
    };
    strbuf_add(program, tail, sizeof(tail));
}

static void release_filter(scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release(*filter);
}

static int export_program(scmp_filter_ctx filter, struct strbuf *program, struct error **error)
{
    cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
    cleanup_free char *bytes = NULL;
    size_t size;
    int result = fd < 0 ? -errno : seccomp_export_bpf(filter, fd);
    if (result < 0)
        return error_set(error, -result, "cannot export the system call filter");
    if (lseek(fd, 0, SEEK_SET) < 0 || fd_read_file(fd, 1U << 20, &bytes, &size) < 0)
        return error_set(error, errno, "cannot read the system call filter");
    if (size == 0 || (program->length + size) / sizeof(struct sock_filter) > BPF_MAXINSNS)
        return error_set(error, 0, "the system call filter has no valid length");
    strbuf_add(program, bytes, size);
    return 0;
}

int seccomp_filter_make(struct strbuf *program, bool with_tracing, struct error **error)
{
    int counting_base = seccomp_syscall_resolve_name(COUNTED_FROM) - COUNTED_FROM_NUMBER;
    if (counting_base < 0)
        return error_set(error, 0, "libseccomp does not know the system calls of this machine");
    __attribute__((cleanup(release_filter))) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return error_set(error, ENOMEM, "cannot make a system call filter");
    int result = add_rules(filter, with_tracing, counting_base);
    if (result < 0)
        return error_set(error, -result, "cannot make the system call filter");
    add_prelude(program, counting_base);
    return export_program(filter, program, error);
}
