/*
 * Runs in a sandbox and tries to get out of it, or at parts of the kernel that are no business of a
 * command's, one way after the other. Prints "ok WHAT" or "not ok WHAT" for each.
 *
 *     escape hold KEY QUEUE          on the host: makes shared memory and a message queue
 *     escape try KEY QUEUE PID...    in the sandbox: looks for them, and for processes of the host
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static bool failed;

static void tell(bool refused, const char *what)
{
    printf("%s %s\n", refused ? "ok" : "not ok", what);
    failed = failed || !refused;
}

/* Refused by the filter, or by what lies behind it; not only for a wrong argument. */
static void refused(long result, const char *what)
{
    tell(result < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS || errno == EROFS ||
                        errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT),
         what);
}

/* The number of a call of another kind, or one that the headers may not know. */
enum {
    CALL_OPEN_TREE = 428,
    CALL_MOVE_MOUNT = 429,
    CALL_FSOPEN = 430,
    CALL_FSMOUNT = 432,
    CALL_FSPICK = 433,
    CALL_PIDFD_GETFD = 438,
    CALL_MOUNT_SETATTR = 442,
    CALL_NEWEST = 1000,
};

/* --- Namespaces and mounts --- */

static void try_namespaces(void)
{
    static const struct {
        unsigned long flag;
        const char *name;
    } kinds[] = {
        {CLONE_NEWNS, "mount"},      {CLONE_NEWUTS, "uts"},
        {CLONE_NEWIPC, "ipc"},       {CLONE_NEWUSER, "user"},
        {CLONE_NEWPID, "pid"},       {CLONE_NEWNET, "net"},
        {CLONE_NEWCGROUP, "cgroup"}, {0x80 /* CLONE_NEWTIME */, "time"},
    };
    char what[80];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        snprintf(what, sizeof(what), "a %s namespace by unshare", kinds[i].name);
        refused(syscall(SYS_unshare, kinds[i].flag), what);
        /* For clone the time namespace's bit is a part of the signal's number. */
        if (kinds[i].flag == 0x80)
            continue;
        long child = syscall(SYS_clone, kinds[i].flag | SIGCHLD, 0, 0, 0, 0);
        if (child == 0)
            _exit(0);
        snprintf(what, sizeof(what), "a %s namespace by clone", kinds[i].name);
        refused(child, what);
    }
    struct {
        unsigned long long flags, others[10];
    } arguments = {.flags = CLONE_NEWUSER};
    long child = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (child == 0)
        _exit(0);
    refused(child, "a user namespace by clone3");
    int fd = open("/proc/1/ns/mnt", O_RDONLY);
    refused(fd < 0 ? -1 : setns(fd, 0), "another namespace by setns");
}

static void try_mounts(void)
{
    refused(mount("none", "/tmp", "tmpfs", 0, NULL), "mount");
    refused(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL), "remounting /usr");
    refused(mount("/", "/tmp", NULL, MS_BIND, NULL), "a bind mount");
    refused(umount2("/workspace", MNT_DETACH), "unmounting the view");
    refused(syscall(SYS_pivot_root, "/tmp", "/tmp"), "pivot_root");
    refused(chroot("/tmp"), "chroot");
    refused(syscall(CALL_OPEN_TREE, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */), "open_tree");
    refused(syscall(CALL_MOVE_MOUNT, AT_FDCWD, "/tmp", AT_FDCWD, "/run", 0), "move_mount");
    refused(syscall(CALL_FSOPEN, "tmpfs", 0), "fsopen");
    refused(syscall(CALL_FSMOUNT, 0, 0, 0), "fsmount");
    refused(syscall(CALL_FSPICK, AT_FDCWD, "/", 0), "fspick");
    unsigned long long attributes[4] = {0};
    refused(syscall(CALL_MOUNT_SETATTR, AT_FDCWD, "/usr", 0, attributes, sizeof(attributes)),
            "mount_setattr");
}

/* --- Privileges and the machine --- */

static void try_privileges(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct all[2] = {{~0U, ~0U, ~0U}, {~0U, ~0U, ~0U}};
    tell(setuid(0) < 0, "uid 0");
    tell(setgid(0) < 0, "gid 0");
    refused(syscall(SYS_capset, &header, all), "capabilities");
    refused(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0),
            "ambient capabilities");
    tell(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "set-user-ID programs");
    refused(mknod("/tmp/device", S_IFBLK | 0600, makedev(8, 0)), "a device");
    refused(sethostname("other", 5), "another host name");
    refused(open("/proc/sys/kernel/core_pattern", O_WRONLY), "the core pattern");
    tell(open("/proc/sysrq-trigger", O_WRONLY) < 0, "sysrq");
    refused(syscall(SYS_settimeofday, NULL, NULL), "the clock");
    refused(syscall(SYS_syslog, 3, NULL, 0), "the kernel's log");
    refused(syscall(SYS_init_module, NULL, 0, ""), "a kernel module");
    refused(syscall(SYS_reboot, 0, 0, 0, NULL), "reboot");
    refused(syscall(SYS_swapon, "/tmp/swap", 0), "swap");
}

static void try_kernel(void)
{
    struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(event)};
    struct io_uring_params ring = {0};
    unsigned char handle[64] = {8};
    char attributes[128] = {0};
    int id;
    refused(syscall(SYS_bpf, 0, attributes, sizeof(attributes)), "bpf");
    refused(syscall(SYS_perf_event_open, &event, 0, -1, -1, 0), "perf_event_open");
    refused(syscall(SYS_userfaultfd, 1), "userfaultfd");
    refused(syscall(SYS_io_uring_setup, 1, &ring), "io_uring");
    refused(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1), "the keyring");
    refused(syscall(SYS_add_key, "user", "name", "secret", 6, KEY_SPEC_PROCESS_KEYRING), "a key");
    refused(syscall(SYS_request_key, "user", "name", NULL, 0), "a request for a key");
    refused(syscall(SYS_name_to_handle_at, AT_FDCWD, "/usr", handle, &id, 0), "a file's handle");
    refused(syscall(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDONLY), "a file by its handle");
    refused(syscall(SYS_fanotify_init, 0, 0), "fanotify");
    refused(syscall(SYS_personality, 0x0100000 /* MMAP_PAGE_ZERO */), "mapping address 0");
    refused(personality(PER_BSD), "another personality");
    tell(syscall(CALL_NEWEST, 0) < 0 && errno == ENOSYS, "a call newer than the table");
}

#if defined(__x86_64__)
static int status_of_compat(void)
{
    pid_t child = fork();
    int status = 0;
    if (child == 0) {
        long result;
        /* getpid, by the numbers of 32 bits */
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
        _exit(result > 0 ? 1 : 0);
    }
    waitpid(child, &status, 0);
    return status;
}

static void try_other_numbers(void)
{
    tell(syscall(0x40000000 | SYS_getpid) < 0 && errno == ENOSYS, "calls of x32");
    int status = status_of_compat();
    tell(!WIFEXITED(status) || WEXITSTATUS(status) == 0, "calls of 32 bits");
}
#else
static void try_other_numbers(void)
{
}
#endif

/* --- Sockets and terminals --- */

static void try_sockets(void)
{
    static const struct {
        int family, type, protocol;
        const char *name;
    } kinds[] = {
        {AF_PACKET, SOCK_RAW, 0, "packet"},
        {AF_KEY, SOCK_RAW, 2, "key"},
        {AF_VSOCK, SOCK_STREAM, 0, "vsock"},
        {AF_ALG, SOCK_SEQPACKET, 0, "alg"},
        {AF_X25, SOCK_SEQPACKET, 0, "x25"},
        {AF_AX25, SOCK_DGRAM, 0, "ax25"},
        {AF_IPX, SOCK_DGRAM, 0, "ipx"},
        {AF_APPLETALK, SOCK_DGRAM, 0, "appletalk"},
        {AF_RDS, SOCK_SEQPACKET, 0, "rds"},
        {AF_TIPC, SOCK_STREAM, 0, "tipc"},
        {AF_CAN, SOCK_RAW, 1, "can"},
        {AF_BLUETOOTH, SOCK_RAW, 1, "bluetooth"},
        {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT, "audit"},
        {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, "netfilter"},
        {AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT, "uevent"},
        {AF_INET, SOCK_RAW, IPPROTO_ICMP, "raw"},
    };
    char what[60];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        snprintf(what, sizeof(what), "a socket of %s", kinds[i].name);
        refused(socket(kinds[i].family, kinds[i].type, kinds[i].protocol), what);
    }
}

/* On a terminal of its own: the caller's cannot be opened. */
static void try_terminals(void)
{
    char input = 'x', paste[2] = {3, 0};
    int discipline = 5;
    int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    tell(terminal >= 0, "(a terminal of its own can be had)");
    tell(open("/dev/tty", O_RDWR) < 0, "the caller's terminal");
    refused(ioctl(terminal, TIOCSTI, &input), "typing into a terminal");
    refused(ioctl(terminal, TIOCLINUX, paste), "pasting into a console");
    refused(ioctl(terminal, TIOCSETD, &discipline), "another line discipline");
    refused(syscall(SYS_ioctl, terminal, 0x100000000UL | TIOCSTI, &input),
            "typing by a number with high bits");
}

/* --- The host's processes and what they share --- */

static void try_process(pid_t process)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {&byte, 1};
    tell(kill(process, 0) < 0 && errno == ESRCH, "a signal to a process of the host");
    tell(ptrace(PTRACE_ATTACH, process, NULL, NULL) < 0, "tracing a process of the host");
    refused(syscall(SYS_process_vm_readv, process, &here, 1UL, &there, 1UL, 0UL),
            "the memory of a process of the host");
    tell(syscall(SYS_pidfd_open, process, 0) < 0, "a descriptor of a process of the host");
}

static void try_host(const char *key, const char *queue, char **processes)
{
    tell(shmget((key_t)atoi(key), 0, 0) < 0, "shared memory of the host");
    tell(mq_open(queue, O_RDONLY) == (mqd_t)-1, "a message queue of the host");
    refused(syscall(CALL_PIDFD_GETFD, 0, 0, 0), "another process's descriptor");
    for (; *processes; processes++)
        try_process((pid_t)atoi(*processes));
}

/* Until standard input ends. */
static int hold(const char *key, const char *queue)
{
    int memory = shmget((key_t)atoi(key), 4096, IPC_CREAT | 0666);
    mqd_t made = mq_open(queue, O_RDWR | O_CREAT, 0666, NULL);
    puts(memory < 0 || made == (mqd_t)-1 ? "failed" : "up");
    fflush(stdout);
    getchar();
    shmctl(memory, IPC_RMID, NULL);
    mq_unlink(queue);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "hold") == 0)
        return hold(argv[2], argv[3]);
    if (argc < 4)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    try_host(argv[2], argv[3], argv + 4);
    try_namespaces();
    try_mounts();
    try_privileges();
    try_kernel();
    try_other_numbers();
    try_sockets();
    try_terminals();
    return failed;
}
