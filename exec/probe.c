#include "probe.h"

#include "bwrap_arguments.h"
#include "process.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What bwrap may print before it is cut. */
#define COMPLAINT_LIMIT 4096

/* A kernel setting, and what it means when it has this value. */
struct obstacle {
    const char *file;
    const char *value;
    const char *meaning;
    const char *mend;
};

static const struct obstacle obstacles[] = {
    {"/proc/sys/kernel/unprivileged_userns_clone", "0",
     "this host gives ordinary users no user namespaces",
     "sudo sysctl -w kernel.unprivileged_userns_clone=1"},
    {"/proc/sys/user/max_user_namespaces", "0", "this host allows no user namespaces at all",
     "sudo sysctl -w user.max_user_namespaces=10000"},
    {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
     "AppArmor keeps ordinary users from using user namespaces",
     "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (or give bwrap an AppArmor "
     "profile with 'userns,')"},
};

static bool is_setuid(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & S_ISUID);
}

char *probe_find_bwrap(const struct scope *scope, struct error **error)
{
    cleanup_free char *path = process_find_program("bwrap", scope->source);
    if (!path)
        error_set(error, 0,
                  "bwrap (bubblewrap) is not installed; install it with: "
                  "sudo apt install bubblewrap");
    else if (is_setuid(path))
        error_set(error, 0,
                  "%s is set-user-ID, which it need not be; mend it with: sudo chmod u-s %s", path,
                  path);
    else
        return steal_pointer(path);
    return NULL;
}

static bool setting_is(const struct obstacle *obstacle)
{
    cleanup_fd int fd = open(obstacle->file, O_RDONLY | O_CLOEXEC);
    char value[16];
    ssize_t size = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);
    if (size <= 0)
        return false;
    value[size] = '\0';
    value[strcspn(value, "\n")] = '\0';
    return strcmp(value, obstacle->value) == 0;
}

static const struct obstacle *find_obstacle(void)
{
    for (size_t i = 0; i < sizeof(obstacles) / sizeof(obstacles[0]); i++)
        if (setting_is(&obstacles[i]))
            return &obstacles[i];
    return NULL;
}

/* The least that needs every namespace, /proc and /dev. */
static void add_trial(struct strbuf *arguments, const char *bwrap, bool share_network)
{
    static const char *const mounts[] = {"--ro-bind", "/",       "/", "--proc", "/proc",    "--dev",
                                         "/dev",      "--chdir", "/", "--",     "/bin/true"};
    strbuf_add(arguments, bwrap, strlen(bwrap) + 1);
    bwrap_arguments_add_isolation(arguments, share_network);
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
        strbuf_add(arguments, mounts[i], strlen(mounts[i]) + 1);
}

static int run_as(const struct identity *identity, const char *const *arguments, int stderr_fd)
{
    pid_t child = fork();
    if (child == 0) {
        if (identity_become(identity) < 0)
            _exit(125);
        int status = process_run(arguments, stderr_fd, -1, NULL);
        _exit(status < 0 ? 125 : status);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return -1;
    return process_exit_status(status);
}

/* bwrap's own words on one line, without its name in front. */
static char *read_complaint(int fd)
{
    cleanup_free char *text = NULL;
    cleanup_strbuf struct strbuf quoted = {0};
    size_t size;
    if (lseek(fd, 0, SEEK_SET) < 0 || fd_read_file(fd, COMPLAINT_LIMIT, &text, &size) < 0)
        return xstrdup("it says nothing more");
    const char *start = strncmp(text, "bwrap: ", 7) == 0 ? text + 7 : text;
    strbuf_add_quoted(&quoted, start, strcspn(start, "\n"));
    return quoted.length ? strbuf_steal(&quoted) : xstrdup("it says nothing more");
}

static const char *mend_for(const char *complaint)
{
    if (strstr(complaint, "nknown option"))
        return "this bwrap is too old; 0.8.0 or newer is needed";
    if (strstr(complaint, "mount proc"))
        return "in a container, /proc must not be masked: for podman and docker, "
               "--security-opt=systempaths=unconfined";
    if (strstr(complaint, "amespace"))
        return "in a container, user namespaces must be permitted: for docker, a seccomp profile "
               "with unshare, clone and mount; on the host, check user.max_user_namespaces";
    return "without these the command was not run";
}

int probe_explain(const char *bwrap, bool share_network, const struct identity *identity,
                  struct error **error)
{
    cleanup_strbuf struct strbuf trial = {0};
    cleanup_fd int complaint_fd = memfd_create("complaint", MFD_CLOEXEC);
    add_trial(&trial, bwrap, share_network);
    cleanup_free const char **arguments = bwrap_arguments_split(&trial);
    int status = run_as(identity, arguments, complaint_fd);
    if (status == 0)
        return error_set(error, 0,
                         "bwrap works on this host, but could not set this sandbox up; its own "
                         "message is above");
    const struct obstacle *obstacle = find_obstacle();
    if (obstacle)
        return error_set(error, 0, "%s; mend it with: %s", obstacle->meaning, obstacle->mend);
    cleanup_free char *complaint = read_complaint(complaint_fd);
    return error_set(error, 0, "this host cannot isolate a command: %s (%s)", complaint,
                     mend_for(complaint));
}
