#include "session_folder.h"

#include "real_path.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FOLDER       ".sessions"
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define LOCK         ".lock"
/* Connections that wait to be accepted; a session takes them in at once. */
#define BACKLOG  128
#define MAX_NAME 40

bool session_name_is_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t length = strlen(name);
    if (length == 0 || length > MAX_NAME || !strchr(letters, name[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!strchr(letters, name[i]) && name[i] != '-' && name[i] != '.')
            return false;
    return true;
}

int session_folder_open(const struct scope *scope, struct error **error)
{
    cleanup_fd int runtime = runtime_open(error);
    cleanup_free char *path = runtime_path();
    struct stat found;
    if (runtime < 0)
        return -1;
    if (scope && real_path_lies_in(path, scope->source))
        return error_set(error, 0,
                         "the runtime folder %s lies in the source of scope %s, whose agent could "
                         "take the place of a session; set XDG_RUNTIME_DIR to another folder",
                         path, scope->name);
    cleanup_fd int folder = openat(runtime, FOLDER, FOLDER_FLAGS);
    if (folder < 0 && errno == ENOENT) {
        if (mkdirat(runtime, FOLDER, 0700) < 0 && errno != EEXIST)
            return error_set(error, errno, "cannot create %s/" FOLDER, path);
        folder = openat(runtime, FOLDER, FOLDER_FLAGS);
    }
    if (folder < 0 || fstat(folder, &found) < 0)
        return error_set(error, errno, "cannot open %s/" FOLDER, path);
    if (found.st_uid != geteuid() || (found.st_mode & 077))
        return error_set(error, 0, "%s/" FOLDER " is open to others; remove it", path);
    return fd_steal(&folder);
}

int session_folder_lock(int folder, struct error **error)
{
    cleanup_fd int fd = openat(folder, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    int result = -1;
    while (fd >= 0 && (result = flock(fd, LOCK_EX)) < 0 && errno == EINTR)
        ;
    if (result < 0)
        return error_set(error, errno, "cannot lock the folder of sessions");
    return fd_steal(&fd);
}

/* By descriptor: the path itself may be longer than a socket's address. */
static void make_address(struct sockaddr_un *address, int folder,
                         const struct session_name *session)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s@%s", folder,
             session->scope, session->name);
}

static bool same_namespace(pid_t process)
{
    char path[64], theirs[64], ours[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/pid", process);
    ssize_t length = readlink(path, theirs, sizeof(theirs));
    return length > 0 && readlink("/proc/self/ns/pid", ours, sizeof(ours)) == length &&
           memcmp(theirs, ours, (size_t)length) == 0;
}

/* What runs in a sandbox has the caller's user, but never the caller's process namespace. */
static bool is_trusted(int socket)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == geteuid() && peer.pid > 0 && same_namespace(peer.pid);
}

int session_connect(int folder, const struct session_name *session)
{
    struct sockaddr_un address;
    cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    make_address(&address, folder, session);
    int result = -1;
    while (fd >= 0 && (result = connect(fd, (struct sockaddr *)&address, sizeof(address))) < 0 &&
           errno == EINTR)
        ;
    if (result < 0)
        return -1;
    if (!is_trusted(fd)) {
        errno = EPERM;
        return -1;
    }
    return fd_steal(&fd);
}

int session_listen(int folder, const struct session_name *session, struct error **error)
{
    struct sockaddr_un address;
    cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    make_address(&address, folder, session);
    session_unlink(folder, session);
    mode_t mask = umask(0177);
    int result = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (result < 0 || listen(fd, BACKLOG) < 0)
        return error_set(error, errno, "cannot listen for calls of the session");
    return fd_steal(&fd);
}

void session_unlink(int folder, const struct session_name *session)
{
    cleanup_free char *name = xasprintf("%s@%s", session->scope, session->name);
    unlinkat(folder, name, 0);
}

static bool matches(const char *wanted, const char *name)
{
    return !wanted || strcmp(wanted, name) == 0;
}

void session_folder_visit(int folder, const struct session_name *wanted, session_visitor *each,
                          void *context)
{
    struct dirent **entries = NULL;
    bool goes_on = true;
    int count = scandirat(folder, ".", &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *at = strchr(entries[i]->d_name, '@');
        if (at && goes_on) {
            *at = '\0';
            const struct session_name found = {entries[i]->d_name, at + 1};
            if (matches(wanted->scope, found.scope) && matches(wanted->name, found.name))
                goes_on = each(context, folder, &found);
        }
        free(entries[i]);
    }
    free(entries);
}

static bool count_living(void *context, int folder, const struct session_name *session)
{
    size_t *count = context;
    cleanup_fd int socket = session_connect(folder, session);
    if (socket >= 0)
        ++*count;
    else if (errno == ECONNREFUSED)
        session_unlink(folder, session);
    return true;
}

size_t session_count(int folder, const char *scope)
{
    size_t count = 0;
    session_folder_visit(folder, &(struct session_name){scope, NULL}, count_living, &count);
    return count;
}
