#include "clean_sessions.h"

#include "scopefs/fd.h"
#include "scopefs/sandbox_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_dead(int folder_fd, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
                          folder_fd, name);
    if (length < 0 || (size_t)length >= sizeof(address.sun_path))
        return false;
    cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
           errno == ECONNREFUSED;
}

/* Whoever starts a session holds the lock from before there is a socket until it is listened at. */
static int lock(int folder_fd)
{
    cleanup_fd int fd = openat(folder_fd, ".lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_EX) == 0 ? fd_steal(&fd) : -1;
}

void clean_sessions(int runtime_fd, void (*tell)(void *data, const char *name), void *data)
{
    cleanup_sandbox_list struct sandbox_list sandboxes = {0};
    sandbox_list_read(&sandboxes, NULL);
    int fd = openat(runtime_fd, ".sessions", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *sockets = fd < 0 ? NULL : fdopendir(fd);
    if (!sockets) {
        fd_close(&fd);
        return;
    }
    cleanup_fd int held = lock(fd);
    for (const struct dirent *entry; held >= 0 && (entry = readdir(sockets));)
        if (strchr(entry->d_name, '@') && is_dead(fd, entry->d_name) &&
            unlinkat(fd, entry->d_name, 0) == 0)
            tell(data, entry->d_name);
    closedir(sockets);
}
