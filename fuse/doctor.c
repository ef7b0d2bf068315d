#include "doctor.h"

#include "roster.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* linux/landlock.h: moving files between directories, since 5.19 */
enum { LANDLOCK_ABI_WITH_REFER = 2, LIBFUSE_WITH_PASSTHROUGH = 317 };

static bool kernel_has(unsigned major, unsigned minor)
{
    struct utsname name;
    unsigned own_major, own_minor;
    return uname(&name) == 0 && sscanf(name.release, "%u.%u", &own_major, &own_minor) == 2 &&
           (own_major > major || (own_major == major && own_minor >= minor));
}

static enum health probe_kernel(struct strbuf *text, struct strbuf *mend)
{
    struct utsname name;
    strbuf_add_text(text, uname(&name) == 0 ? name.release : "unknown");
    if (!kernel_has(5, 6)) {
        strbuf_add_text(mend,
                        "views need openat2(2), which Linux has since 5.6; upgrade the kernel");
        return HEALTH_BROKEN;
    }
    if (kernel_has(5, 19))
        return HEALTH_GOOD;
    strbuf_add_text(mend, "with Linux 5.19 or later the servers of views are confined by Landlock");
    return HEALTH_LESS;
}

static enum health probe_device(struct strbuf *text, struct strbuf *mend)
{
    cleanup_fd int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        strbuf_add_text(text, "can be opened");
        return HEALTH_GOOD;
    }
    strbuf_add_text(text, strerror(errno));
    strbuf_add_text(mend,
                    errno == ENOENT || errno == ENODEV
                        ? "sudo modprobe fuse; in a container: start it with --device /dev/fuse"
                        : "sudo chmod 666 /dev/fuse, which is what systems ship");
    return HEALTH_BROKEN;
}

/* The path of the program by the search path; NULL when there is none. The caller frees it. */
static char *find_program(const char *name)
{
    const char *search = getenv("PATH");
    cleanup_free char *copy = xstrdup(search ? search : "/usr/bin:/bin");
    char *at = copy;
    for (char *folder; (folder = strsep(&at, ":"));) {
        char *path = xasprintf("%s/%s", folder, name);
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static enum health probe_fusermount(struct strbuf *text, struct strbuf *mend)
{
    cleanup_free char *path = find_program("fusermount3");
    struct stat found;
    if (path && stat(path, &found) == 0 && found.st_uid == 0 && (found.st_mode & S_ISUID)) {
        strbuf_add_text(text, path);
        return HEALTH_GOOD;
    }
    strbuf_add_text(text, path ? "is not setuid root" : "is not installed");
    strbuf_add_text(mend, "ordinary users mount through it: sudo apt install fuse3");
    return geteuid() == 0 ? HEALTH_LESS : HEALTH_BROKEN;
}

static enum health probe_libfuse(struct strbuf *text, struct strbuf *mend)
{
    strbuf_add_text(text, fuse_pkgversion());
    if (fuse_version() >= LIBFUSE_WITH_PASSTHROUGH)
        return HEALTH_GOOD;
    strbuf_add_text(mend, "libfuse 3.17 knows passthrough, which makes large files faster");
    return HEALTH_LESS;
}

/* Whether root here is root to the kernel, and not only in a user namespace. */
static bool is_hosts_root(void)
{
    unsigned inside = 1, outside = 1, count = 0;
    FILE *map = fopen("/proc/self/uid_map", "re");
    bool is = map && fscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && count == 4294967295;
    if (map)
        fclose(map);
    return is && geteuid() == 0;
}

static enum health probe_passthrough(struct strbuf *text, struct strbuf *mend)
{
    bool kernel = kernel_has(6, 9), root = is_hosts_root();
    strbuf_add_format(text, "%s in the kernel%s", kernel ? "yes" : "no",
                      kernel && !root ? ", for the host's root" : "");
    if (kernel && root)
        return HEALTH_GOOD;
    strbuf_add_text(mend, kernel ? "views that the host's root mounts for a user can have it"
                                 : "Linux 6.9 and later can read and write files without asking "
                                   "the server");
    return HEALTH_LESS;
}

static enum health probe_landlock(struct strbuf *text, struct strbuf *mend)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi >= LANDLOCK_ABI_WITH_REFER) {
        strbuf_add_format(text, "ABI %ld", abi);
        return HEALTH_GOOD;
    }
    strbuf_add_text(text, abi < 0 ? "not available" : "too old");
    strbuf_add_text(mend, "a view's server is then confined by its system call filter alone; boot "
                          "with lsm=landlock,... on Linux 5.19 or later");
    return HEALTH_LESS;
}

static bool can_make_user_namespace(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* The first byte of the file, or 0. */
static char first_byte(const char *path)
{
    char byte = 0;
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, &byte, 1) == 1 ? byte : 0;
}

static enum health probe_namespaces(struct strbuf *text, struct strbuf *mend)
{
    bool restricted = first_byte("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == '1';
    if (can_make_user_namespace()) {
        strbuf_add_format(text, "can be made%s",
                          restricted ? "; AppArmor restricts what programs without a profile do in "
                                       "them"
                                     : "");
        return HEALTH_GOOD;
    }
    strbuf_add_text(text, "cannot be made, so that scopefs-exec runs nothing");
    if (first_byte("/proc/sys/kernel/unprivileged_userns_clone") == '0')
        strbuf_add_text(mend, "sudo sysctl kernel.unprivileged_userns_clone=1");
    else if (first_byte("/proc/sys/user/max_user_namespaces") == '0')
        strbuf_add_text(mend, "sudo sysctl user.max_user_namespaces=15000");
    else if (restricted)
        strbuf_add_text(mend, "AppArmor forbids them: give bwrap a profile with 'userns,', or sudo "
                              "sysctl kernel.apparmor_restrict_unprivileged_userns=0");
    else
        strbuf_add_text(mend, "in a container: allow them in its seccomp profile");
    return HEALTH_LESS;
}

/* The first line that the program prints with --version; "" when it cannot be run. */
static char *version_of(const char *program)
{
    int ends[2], status;
    pid_t child;
    char line[128] = "";
    const char *const words[] = {program, "--version", NULL};
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return xstrdup("");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int failed = posix_spawn(&child, program, &actions, NULL, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    fd_close(&ends[1]);
    ssize_t length = failed ? 0 : read(ends[0], line, sizeof(line) - 1);
    fd_close(&ends[0]);
    if (!failed)
        waitpid(child, &status, 0);
    line[length > 0 ? length : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return xstrdup(line);
}

static enum health probe_bubblewrap(struct strbuf *text, struct strbuf *mend)
{
    cleanup_free char *path = find_program("bwrap");
    cleanup_free char *version = path ? version_of(path) : xstrdup("");
    unsigned major = 0, minor = 0;
    strbuf_add_text(text, *version ? version : path ? "does not run" : "is not installed");
    if (!path || sscanf(version, "bubblewrap %u.%u", &major, &minor) != 2) {
        strbuf_add_text(mend, "scopefs-exec runs commands in it: sudo apt install bubblewrap");
        return HEALTH_LESS;
    }
    struct stat found;
    if (stat(path, &found) == 0 && (found.st_mode & S_ISUID)) {
        strbuf_add_format(mend, "it is setuid root, which nothing here needs: sudo chmod u-s %s",
                          path);
        return HEALTH_LESS;
    }
    if (major > 0 || minor >= 8)
        return HEALTH_GOOD;
    strbuf_add_text(mend, "scopefs-exec needs --disable-userns, which bubblewrap has since 0.8");
    return HEALTH_LESS;
}

/* Where limits for commands would be set: the caller's own group in the version 2 hierarchy. */
static enum health probe_groups(struct strbuf *text, struct strbuf *mend)
{
    char line[4096];
    cleanup_fd int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
    line[length > 0 ? length : 0] = '\0';
    char *own = strstr(line, "0::");
    if (!own || access("/sys/fs/cgroup/cgroup.controllers", R_OK) < 0) {
        strbuf_add_text(text, "version 2 is not mounted");
        strbuf_add_text(mend, "boot with systemd.unified_cgroup_hierarchy=1");
        return HEALTH_LESS;
    }
    own[strcspn(own, "\n")] = '\0';
    cleanup_free char *group = xasprintf("/sys/fs/cgroup%s", own + 3);
    if (access(group, W_OK) == 0) {
        strbuf_add_format(text, "%s may be divided", own + 3);
        return HEALTH_GOOD;
    }
    strbuf_add_format(text, "%s is not delegated to this user", own + 3);
    strbuf_add_text(mend, "run commands under 'systemd-run --user --scope -p Delegate=yes'");
    return HEALTH_LESS;
}

static enum health probe_runtime(struct strbuf *text, struct strbuf *mend)
{
    cleanup_error struct error *error = NULL;
    cleanup_free char *path = runtime_path();
    cleanup_fd int fd = runtime_open(&error);
    strbuf_add_text(text, path);
    if (fd < 0) {
        strbuf_add_text(mend, error->message);
        return HEALTH_BROKEN;
    }
    if (strncmp(path, "/tmp/", 5) != 0)
        return HEALTH_GOOD;
    strbuf_add_text(mend, "there is no XDG_RUNTIME_DIR; log in through systemd, or set it");
    return HEALTH_LESS;
}

static enum health probe_views(struct strbuf *text, struct strbuf *mend)
{
    cleanup_roster struct roster roster = {0};
    size_t dead = 0;
    if (roster_read(&roster, NULL) < 0)
        return HEALTH_BROKEN;
    for (size_t i = 0; i < roster.count; i++)
        dead += roster_view_is_dead(&roster.views[i]);
    strbuf_add_format(text, "%zu mounted, %zu dead", roster.count, dead);
    strbuf_add_text(mend, dead ? "scopefs gc takes the dead ones away" : "");
    return dead ? HEALTH_LESS : HEALTH_GOOD;
}

const struct doctor_row doctor_rows[] = {
    {"kernel", probe_kernel},
    {"/dev/fuse", probe_device},
    {"fusermount3", probe_fusermount},
    {"libfuse", probe_libfuse},
    {"passthrough", probe_passthrough},
    {"Landlock", probe_landlock},
    {"user namespaces", probe_namespaces},
    {"bubblewrap", probe_bubblewrap},
    {"cgroups", probe_groups},
    {"runtime folder", probe_runtime},
    {"views", probe_views},
    {0},
};
