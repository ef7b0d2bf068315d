#include "doctor.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char *doctor_find_program(const char *name)
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

/* AppArmor lets one be made, and then refuses what needs a capability in it. */
static bool can_make_user_namespace(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
                      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
                  ? 0
                  : 1);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* The first byte of the file, or 0. */
static char first_byte(const char *path)
{
    char byte = 0;
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, &byte, 1) == 1 ? byte : 0;
}

enum health doctor_probe_namespaces(struct strbuf *text, struct strbuf *mend)
{
    bool restricted = first_byte("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == '1';
    if (can_make_user_namespace()) {
        strbuf_add_format(text, "can be made%s",
                          restricted ? "; AppArmor restricts what programs without a profile do in "
                                       "them"
                                     : "");
        return HEALTH_GOOD;
    }
    strbuf_add_text(text, "cannot be made or used, so that scopefs-exec may run nothing");
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

/* The first line that the command writes to that descriptor; "" when there is none. *status as
 * waitpid(2) has it, or -1 when it cannot be run. */
static char *first_line(const char *const *words, int descriptor, int *status)
{
    int ends[2];
    pid_t child;
    char line[256] = "";
    *status = -1;
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return xstrdup("");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], descriptor);
    int failed = posix_spawn(&child, words[0], &actions, NULL, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    fd_close(&ends[1]);
    ssize_t length = failed ? 0 : read(ends[0], line, sizeof(line) - 1);
    fd_close(&ends[0]);
    if (!failed)
        waitpid(child, status, 0);
    line[length > 0 ? length : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return xstrdup(line);
}

/* What scopefs-exec asks of it, in short. */
static enum health try_bubblewrap(const char *path, struct strbuf *text, struct strbuf *mend)
{
    const char *const words[] = {path,
                                 "--unshare-user",
                                 "--unshare-pid",
                                 "--disable-userns",
                                 "--ro-bind",
                                 "/",
                                 "/",
                                 "--proc",
                                 "/proc",
                                 "--",
                                 "/bin/true",
                                 NULL};
    int status;
    cleanup_free char *problem = first_line(words, STDERR_FILENO, &status);
    if (status == 0)
        return HEALTH_GOOD;
    strbuf_add_text(text, "; it cannot make a sandbox here: ");
    strbuf_add_quoted(text, problem, strlen(problem));
    strbuf_add_text(mend, "mend what is told of user namespaces; in a container, /proc must not be "
                          "masked");
    return HEALTH_LESS;
}

enum health doctor_probe_bubblewrap(struct strbuf *text, struct strbuf *mend)
{
    cleanup_free char *path = doctor_find_program("bwrap");
    const char *const words[] = {path, "--version", NULL};
    int status = -1;
    cleanup_free char *version = path ? first_line(words, STDOUT_FILENO, &status) : xstrdup("");
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
    if (major == 0 && minor < 8) {
        strbuf_add_text(mend,
                        "scopefs-exec needs --disable-userns, which bubblewrap has since 0.8");
        return HEALTH_LESS;
    }
    if (major == 0 && minor < 12)
        strbuf_add_text(text,
                        "; CVE-2026-87766, which 0.12 and distributions' updates mend, is out "
                        "of a command's reach: nothing is mounted below what it can write");
    return try_bubblewrap(path, text, mend);
}

/* Where limits for commands would be set: the caller's own group in the version 2 hierarchy. */
enum health doctor_probe_groups(struct strbuf *text, struct strbuf *mend)
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
