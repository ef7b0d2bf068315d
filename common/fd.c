#include "scopefs/fd.h"

#include "scopefs/mem.h"

#include <errno.h>
#include <unistd.h>

void fd_cleanup(int *fd)
{
    fd_close(fd);
}

int fd_steal(int *fd)
{
    int stolen = *fd;
    *fd = -1;
    return stolen;
}

void fd_close(int *fd)
{
    int saved = errno;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

int fd_read_all(int fd, void *buffer, size_t size)
{
    char *at = buffer;
    while (size > 0) {
        ssize_t got = read(fd, at, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) {
            errno = ENODATA;
            return -1;
        }
        at += got;
        size -= (size_t)got;
    }
    return 0;
}

int fd_write_all(int fd, const void *buffer, size_t size)
{
    const char *at = buffer;
    while (size > 0) {
        ssize_t put = write(fd, at, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        at += put;
        size -= (size_t)put;
    }
    return 0;
}

int fd_read_file(int fd, size_t limit, char **contents, size_t *size)
{
    size_t used = 0, room = 4096;
    cleanup_free char *buffer = malloc(room + 1);
    if (!buffer)
        return -1;
    for (;;) {
        ssize_t got = read(fd, buffer + used, room - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        used += (size_t)got;
        if (used > limit) {
            errno = EFBIG;
            return -1;
        }
        if (used == room) {
            char *larger = realloc(buffer, room * 2 + 1);
            if (!larger)
                return -1;
            buffer = larger;
            room *= 2;
        }
    }
    buffer[used] = '\0';
    *contents = steal_pointer(buffer);
    *size = used;
    return 0;
}
