#include "workspace.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int root_of(const struct call *call)
{
    return call->address.session->server->settings.root;
}

static const char *workspace_of(const struct call *call)
{
    return call->address.session->server->settings.workspace;
}

/* What is behind the workspace's name in an absolute path, or the path itself. */
static const char *without_workspace(const struct call *call, const char *given)
{
    const char *workspace = workspace_of(call);
    size_t length = strlen(workspace);
    if (strncmp(given, workspace, length) == 0 && (given[length] == '/' || given[length] == '\0'))
        return given + length;
    return given;
}

/* Appends a component to a path without a leading slash. False when ".." leads out. */
static bool add_component(struct strbuf *path, const char *name, size_t length)
{
    if (length == 0 || (length == 1 && name[0] == '.'))
        return true;
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        if (path->length == 0)
            return false;
        const char *slash = memrchr(path->bytes, '/', path->length);
        path->length = slash ? (size_t)(slash - path->bytes) : 0;
        path->bytes[path->length] = '\0';
        return true;
    }
    if (path->length)
        strbuf_add(path, "/", 1);
    strbuf_add(path, name, length);
    return true;
}

char *workspace_path(struct call *call, const char *given)
{
    cleanup_strbuf struct strbuf path = {0};
    for (const char *at = without_workspace(call, given); *at;) {
        size_t length = strcspn(at, "/");
        if (!add_component(&path, at, length)) {
            call_fail(call, CODE_NOT_FOUND, given, NULL, "%s: it leads out of the workspace",
                      given);
            return NULL;
        }
        at += length;
        at += *at == '/';
    }
    if (path.length == 0)
        strbuf_add(&path, ".", 1);
    return strbuf_steal(&path);
}

char *workspace_name(const struct call *call, const char *path)
{
    if (strcmp(path, ".") == 0)
        return xstrdup(workspace_of(call));
    return xasprintf("%s/%s", workspace_of(call), path);
}

int workspace_open(const struct call *call, const char *path, int flags, mode_t mode)
{
    const struct open_how how = {
        .flags = (unsigned)flags | O_CLOEXEC,
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    int fd;
    /* A rename somewhere above a ".." makes it give up (openat2(2)); it is done again. */
    do
        fd = (int)syscall(SYS_openat2, root_of(call), path, &how, sizeof(how));
    while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    return fd;
}

int workspace_need(struct call *call, const char *path, int flags, const char *level)
{
    int fd = workspace_open(call, path, flags, 0);
    if (fd >= 0)
        return fd;
    int number = errno;
    cleanup_free char *name = workspace_name(call, path);
    return call_fail_errno(call, number, name, level);
}

int workspace_parent(const struct call *call, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!slash)
        return fcntl(root_of(call), F_DUPFD_CLOEXEC, 0);
    cleanup_free char *parent = xmemdup0(path, (size_t)(slash - path));
    return workspace_open(call, parent, O_PATH | O_DIRECTORY, 0);
}

/* As the source has it now: the kernel asks the view again, and drops what it knows of the contents
 * when they have changed. */
static int fresh_status(int fd, struct stat *status)
{
    struct statx asked;
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &asked) < 0)
        return -1;
    return fstat(fd, status);
}

int workspace_status(const struct call *call, const char *path, struct stat *status)
{
    cleanup_fd int fd = workspace_open(call, path, O_PATH | O_NOFOLLOW, 0);
    return fd < 0 ? -1 : fresh_status(fd, status);
}

const char *workspace_kind(mode_t mode)
{
    return S_ISREG(mode)   ? "file"
           : S_ISDIR(mode) ? "directory"
           : S_ISLNK(mode) ? "symlink"
                           : "other";
}

static bool may(const struct call *call, const char *path, int mode)
{
    cleanup_fd int fd = workspace_open(call, path, O_PATH, 0);
    char link[32];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return fd >= 0 && access(link, mode) == 0;
}

const char *workspace_level(const struct call *call, const char *path, const struct stat *status)
{
    if (S_ISLNK(status->st_mode))
        return "view";
    if (may(call, path, W_OK))
        return "write";
    return may(call, path, R_OK) ? "read" : "view";
}

/* Not a FIFO, a device or a directory: what is read has an end. */
static int check_file(struct call *call, const char *name, const struct stat *status, size_t limit)
{
    if (S_ISDIR(status->st_mode))
        call_fail(call, CODE_IS_A_DIRECTORY, name, NULL, "%s: it is a directory", name);
    else if (!S_ISREG(status->st_mode))
        call_fail(call, CODE_NOT_A_FILE, name, NULL, "%s: it is not a regular file", name);
    else if ((unsigned long long)status->st_size > limit)
        call_fail(call, CODE_TOO_LARGE, name, NULL,
                  "%s: it has %lld bytes, and at most %zu are read at once; use grep, or execute "
                  "with sed -n or tail",
                  name, (long long)status->st_size, limit);
    else
        return 0;
    return -1;
}

static int read_all(int fd, size_t limit, struct strbuf *bytes)
{
    char chunk[65536];
    ssize_t size;
    while ((size = read(fd, chunk, sizeof(chunk))) > 0) {
        strbuf_add(bytes, chunk, (size_t)size);
        if (bytes->length > limit) {
            errno = EFBIG;
            return -1;
        }
    }
    return size < 0 ? -1 : 0;
}

int workspace_load(struct call *call, const char *path, size_t limit, struct strbuf *bytes,
                   struct stat *status)
{
    cleanup_free char *name = workspace_name(call, path);
    cleanup_fd int fd = workspace_open(call, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0 || fresh_status(fd, status) < 0)
        return call_fail_errno(call, errno, name, "read");
    if (check_file(call, name, status, limit) < 0)
        return -1;
    return read_all(fd, limit, bytes) == 0 ? 0 : call_fail_errno(call, errno, name, "read");
}
