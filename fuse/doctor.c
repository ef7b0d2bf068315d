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
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
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

static enum health probe_fusermount(struct strbuf *text, struct strbuf *mend)
{
    cleanup_free char *path = doctor_find_program("fusermount3");
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

/* The number behind KEY in the file, as fuse.conf and sysctls have it. */
static unsigned read_number(const char *path, const char *key, unsigned otherwise)
{
    cleanup_free char *text = NULL;
    size_t size;
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fd_read_file(fd, 64 * 1024, &text, &size) < 0)
        return otherwise;
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, strlen(key)) == 0)
            return (unsigned)strtoul(line + strlen(key), NULL, 10);
    }
    return otherwise;
}

static enum health probe_limits(struct strbuf *text, struct strbuf *mend)
{
    (void)mend;
    strbuf_add_format(text,
                      "%u mounts of ordinary users (mount_max in /etc/fuse.conf); %u views of a "
                      "user with cache = watch (sysctl fs.inotify.max_user_instances)",
                      read_number("/etc/fuse.conf", "mount_max = ", 1000),
                      read_number("/proc/sys/fs/inotify/max_user_instances", "", 0));
    return HEALTH_GOOD;
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
    {"user namespaces", doctor_probe_namespaces},
    {"bubblewrap", doctor_probe_bubblewrap},
    {"cgroups", doctor_probe_groups},
    {"runtime folder", probe_runtime},
    {"limits", probe_limits},
    {"views", probe_views},
    {0},
};
