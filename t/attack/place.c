#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const route_names[ROUTES] = {
    [BY_PATH] = "by path",
    [BY_CWD] = "in the working directory",
    [BY_DIRECTORY_FD] = "by directory descriptor",
    [BY_PATH_FD] = "by O_PATH descriptor of the directory",
    [BY_PROC_DIRECTORY] = "through /proc/self/fd of the directory",
    [BY_PROC_TARGET] = "through /proc/self/fd of the object",
};

/* Descriptors stay open across exec: a script started by descriptor needs its directory. */
static int open_directory(const char *path, int flags)
{
    int fd = open(path, flags | O_DIRECTORY);
    if (fd < 0) {
        perror(path);
        exit(2);
    }
    return fd;
}

static int open_target(struct place *place, const char *name)
{
    place->target_fd = openat(place->sibling_fd, name, O_PATH | O_NOFOLLOW);
    if (place->target_fd < 0)
        return errno;
    snprintf(place->name, sizeof(place->name), "/proc/self/fd/%d", place->target_fd);
    return 0;
}

int place_open(struct place *place, enum route route, const char *directory, const char *name)
{
    *place = (struct place){.directory_fd = AT_FDCWD, .held_fd = -1, .target_fd = -1};
    place->sibling_fd = open_directory(directory, O_RDONLY);
    snprintf(place->name, sizeof(place->name), "%s", name);
    switch (route) {
    case BY_PATH:
        snprintf(place->name, sizeof(place->name), "%s/%s", directory, name);
        return 0;
    case BY_CWD:
        return fchdir(place->sibling_fd) < 0 ? errno : 0;
    case BY_DIRECTORY_FD:
        place->directory_fd = place->sibling_fd;
        return 0;
    case BY_PATH_FD:
        place->directory_fd = place->held_fd = open_directory(directory, O_PATH);
        return 0;
    case BY_PROC_DIRECTORY:
        place->held_fd = open_directory(directory, O_PATH);
        snprintf(place->name, sizeof(place->name), "/proc/self/fd/%d/%s", place->held_fd, name);
        return 0;
    default:
        return open_target(place, name);
    }
}

void place_close(struct place *place)
{
    if (chdir("/") < 0)
        perror("chdir");
    close(place->sibling_fd);
    if (place->held_fd >= 0)
        close(place->held_fd);
    if (place->target_fd >= 0)
        close(place->target_fd);
}

void place_path(const struct place *place, char *path, size_t size)
{
    if (place->directory_fd == AT_FDCWD)
        snprintf(path, size, "%s", place->name);
    else
        snprintf(path, size, "/proc/self/fd/%d/%s", place->directory_fd, place->name);
}
