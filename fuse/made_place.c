#include "made_place.h"

#include "run_file.h"

#include "scopefs/fd.h"
#include "scopefs/hash.h"
#include "scopefs/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PREFIX "made-"

/* Two places of one name are one note: the second is then not taken away. */
static char *note_name(const char *path)
{
    uint64_t hash = hash_bytes(HASH_START, path, strlen(path));
    return xasprintf(PREFIX "%016llx", (unsigned long long)hash);
}

static int open_locked(int folder_fd, const char *name, int flags)
{
    cleanup_fd int fd =
        openat(folder_fd, name, flags | O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !run_file_is_at(folder_fd, name, fd))
        return -1;
    return fd_steal(&fd);
}

/* The path that a note is about; the caller frees it. */
static char *read_note(int fd)
{
    char *path;
    size_t size;
    return fd_read_file(fd, PATH_MAX, &path, &size) < 0 ? NULL : path;
}

int made_place_note(const char *path)
{
    cleanup_fd int folder_fd = run_folder_open(NULL);
    cleanup_free char *name = note_name(path);
    cleanup_fd int fd = folder_fd < 0 ? -1 : open_locked(folder_fd, name, O_CREAT);
    if (fd < 0 || ftruncate(fd, 0) < 0 || fd_write_all(fd, path, strlen(path)) < 0)
        return -1;
    return fd_steal(&fd);
}

int made_place_take_up(const char *path)
{
    cleanup_fd int folder_fd = run_folder_open(NULL);
    cleanup_free char *name = note_name(path);
    cleanup_fd int fd = folder_fd < 0 ? -1 : open_locked(folder_fd, name, 0);
    cleanup_free char *noted = fd < 0 ? NULL : read_note(fd);
    return noted && strcmp(noted, path) == 0 ? fd_steal(&fd) : -1;
}

bool made_place_remove(int *fd, const char *path)
{
    bool gone = rmdir(path) == 0 || errno == ENOENT;
    if (gone || errno != EBUSY)
        run_file_unlink(*fd);
    fd_close(fd);
    return gone;
}

void made_places_clean(void (*tell)(void *data, const char *path), void *data)
{
    int folder_fd = run_folder_open(NULL);
    DIR *notes = folder_fd < 0 ? NULL : fdopendir(folder_fd);
    if (!notes) {
        fd_close(&folder_fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(notes));) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
            continue;
        int fd = open_locked(dirfd(notes), entry->d_name, 0);
        cleanup_free char *path = fd < 0 ? NULL : read_note(fd);
        if (path && made_place_remove(&fd, path))
            tell(data, path);
        fd_close(&fd);
    }
    closedir(notes);
}
