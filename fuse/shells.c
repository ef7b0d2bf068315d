#include "shells.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Nobody listens at the socket of one that was killed. */
static bool is_alive(int folder_fd, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_free char *path = xasprintf("/proc/self/fd/%d/%s", folder_fd, name);
    if (strlen(path) >= sizeof(address.sun_path))
        return false;
    memcpy(address.sun_path, path, strlen(path));
    cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

void shells_read(struct shells *shells)
{
    *shells = (struct shells){0};
    cleanup_fd int runtime_fd = runtime_open(NULL);
    int fd = openat(runtime_fd, ".sessions", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *sockets = fd < 0 ? NULL : fdopendir(fd);
    if (!sockets) {
        fd_close(&fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(sockets));) {
        const char *at = strchr(entry->d_name, '@');
        if (!at || entry->d_name[0] == '.' || !is_alive(dirfd(sockets), entry->d_name))
            continue;
        shells->scopes = xreallocarray(shells->scopes, shells->count + 1, sizeof(*shells->scopes));
        shells->scopes[shells->count++] = xmemdup0(entry->d_name, (size_t)(at - entry->d_name));
    }
    closedir(sockets);
}

void shells_free(struct shells *shells)
{
    for (size_t i = 0; i < shells->count; i++)
        free(shells->scopes[i]);
    free(shells->scopes);
    *shells = (struct shells){0};
}

size_t shells_count(const struct shells *shells, const char *scope)
{
    size_t count = 0;
    for (size_t i = 0; i < shells->count; i++)
        if (strcmp(shells->scopes[i], scope) == 0)
            count++;
    return count;
}
