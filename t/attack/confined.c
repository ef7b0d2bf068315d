/*
 * What is left to a server that somebody has taken over: after it was confined, a process can use
 * the source and nothing else of the host.
 */
#include "config.h"

#include "../tap.h"

#include "../../fuse/confine.h"

#include "scopefs/error.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/scopefs-confined-XXXXXX";

static int answer(long result)
{
    return result < 0 ? errno : 0;
}

static int opens(int directory_fd, const char *path, int flags)
{
    int fd = openat(directory_fd, path, flags | O_CLOEXEC, 0600);
    int failed = answer(fd);
    if (fd >= 0)
        close(fd);
    return failed;
}

#define is_errno(got, expected, ...)                                                               \
    is_string(strerrorname_np(got), strerrorname_np(expected), __VA_ARGS__)

/* To be asked before the process is confined. */
static bool kernel_has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 2;
}

static void check_paths(int source_fd, const char *outside)
{
    is_errno(opens(AT_FDCWD, "/etc/passwd", O_RDONLY), EACCES, "a file of the host is not opened");
    is_errno(opens(AT_FDCWD, "/proc/self/environ", O_RDONLY), EACCES, "nor one of /proc");
    is_errno(opens(source_fd, "../outside", O_RDWR), EACCES, "nor one beside the source");
    is_errno(opens(source_fd, "../made", O_RDWR | O_CREAT), EACCES, "nor is one made there");
    is_errno(answer(unlinkat(AT_FDCWD, outside, 0)), EACCES, "nor removed");
    is_errno(answer(renameat(source_fd, "f", source_fd, "../f")), EACCES, "nor moved out");
    is_errno(answer(linkat(source_fd, "../outside", source_fd, "stolen", 0)), EXDEV,
             "nor linked in");
}

static void check_calls(void)
{
#ifdef SANITIZED
    note("built with sanitizers: the system calls are not restricted");
#else
    char *words[] = {(char[]){"true"}, NULL};
    is_errno(answer(socket(AF_INET, SOCK_STREAM, 0)), ENOSYS, "there is no network for it");
    is_errno(answer(socket(AF_UNIX, SOCK_STREAM, 0)), ENOSYS, "nor a socket of the host");
    is_errno(answer(execv("/bin/true", words)), ENOSYS, "nor programs");
    is_errno(answer(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)), ENOSYS, "nor other processes");
    is_errno(answer(kill(getppid(), 0)), ENOSYS, "nor signals to them");
    is_errno(answer(mount("none", "/", "tmpfs", 0, NULL)), ENOSYS, "nor mounts");
    is_errno(answer(umount2("/", MNT_DETACH)), ENOSYS, "nor unmounting");
    is_errno(answer(unshare(CLONE_NEWUSER)), ENOSYS, "nor namespaces");
    is_errno(answer(setuid(0)), ENOSYS, "nor other users");
    is_errno(answer(unshare(CLONE_FS)), 0, "a thread may have a umask of its own");
#endif
}

static unsigned long long effective(void)
{
    struct {
        struct __user_cap_header_struct header;
        struct __user_cap_data_struct words[2];
    } have = {.header.version = _LINUX_CAPABILITY_VERSION_3};
    syscall(SYS_capget, &have.header, have.words);
    return have.words[0].effective | (unsigned long long)have.words[1].effective << 32;
}

static int be_server(int source_fd, const char *outside)
{
    cleanup_error struct error *error = NULL;
    struct view view = {.name = "confined", .root_fd = source_fd};
    bool has_landlock = kernel_has_landlock();
    is_int(confine_server(&view, &error), 0, "a server is confined");
    is_int((long)(effective() & ~0xfULL), 0,
           "it keeps no capability but chown, dac_override, dac_read_search and fowner");
#ifndef SANITIZED
    is_int(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0, "others cannot look into it");
#endif
    is_int(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1, "it gets no privileges again");
    is_errno(opens(source_fd, "f", O_RDWR), 0, "a file of the source is opened");
    is_errno(opens(source_fd, "new", O_RDWR | O_CREAT), 0, "and made");
    is_errno(answer(mkdirat(source_fd, "d", 0700)), 0, "and a directory");
    is_errno(answer(renameat(source_fd, "new", source_fd, "d/new")), 0, "and moved into it");
    if (has_landlock)
        check_paths(source_fd, outside);
    else
        note("this kernel has no Landlock");
    check_calls();
    unlinkat(source_fd, "d/new", 0);
    unlinkat(source_fd, "d", AT_REMOVEDIR);
    return done_testing();
}

int main(void)
{
    int status = 0;
    if (!mkdtemp(folder))
        return 2;
    cleanup_free char *source = xasprintf("%s/source", folder);
    cleanup_free char *file = xasprintf("%s/f", source);
    cleanup_free char *outside = xasprintf("%s/outside", folder);
    int source_fd = mkdir(source, 0700) < 0 ? -1 : open(source, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (source_fd < 0 || opens(AT_FDCWD, file, O_RDWR | O_CREAT) ||
        opens(AT_FDCWD, outside, O_RDWR | O_CREAT))
        return 2;
    pid_t child = fork();
    /* At the ordinary end a sanitizer would want what is out of reach by then. */
    if (child == 0) {
        status = be_server(source_fd, outside);
        fflush(stdout);
        _exit(status);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    unlink(file);
    unlink(outside);
    rmdir(source);
    rmdir(folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
