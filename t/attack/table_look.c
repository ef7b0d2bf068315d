/* Rows of what looks at things and opens them. */
#include "table_rows.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int close_answer(int fd)
{
    int failed = answer(fd);
    if (fd >= 0)
        close(fd);
    return failed;
}

/* --- looking --- */

static int do_stat(const struct place *place)
{
    struct stat found;
    return answer(fstatat(place->directory_fd, place->name, &found, no_follow(place)));
}

static int do_statx(const struct place *place)
{
    struct statx found;
    return answer(statx(place->directory_fd, place->name, no_follow(place) | AT_STATX_FORCE_SYNC,
                        STATX_ALL, &found));
}

static int do_access(const struct place *place, int mode)
{
    return answer(faccessat(place->directory_fd, place->name, mode, 0));
}

static int do_access_exists(const struct place *place)
{
    return do_access(place, F_OK);
}

static int do_access_read(const struct place *place)
{
    return do_access(place, R_OK);
}

static int do_access_write(const struct place *place)
{
    return do_access(place, W_OK);
}

static int do_access_execute(const struct place *place)
{
    return do_access(place, X_OK);
}

static int do_statfs(const struct place *place)
{
    char path[4200];
    struct statfs found;
    place_path(place, path, sizeof(path));
    return answer(statfs(path, &found));
}

static int do_chdir(const struct place *place)
{
    char path[4200];
    place_path(place, path, sizeof(path));
    return answer(chdir(path));
}

static int do_watch(const struct place *place)
{
    char path[4200];
    int fd = inotify_init1(IN_CLOEXEC);
    if (fd < 0)
        return errno;
    place_path(place, path, sizeof(path));
    int failed = answer(inotify_add_watch(fd, path, IN_ALL_EVENTS));
    close(fd);
    return failed;
}

/* struct file_handle ends with room of our own choosing. */
union handle {
    struct file_handle handle;
    char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static int take_handle(const struct place *place, union handle *handle, int *mount_id)
{
    handle->handle.handle_bytes = MAX_HANDLE_SZ;
    return answer(name_to_handle_at(place->directory_fd, place->name, &handle->handle, mount_id,
                                    place->target_fd < 0 ? 0 : AT_SYMLINK_FOLLOW));
}

static int do_name_to_handle(const struct place *place)
{
    union handle handle;
    int mount_id;
    return take_handle(place, &handle, &mount_id);
}

static int open_by_handle(const struct place *place, int flags)
{
    union handle handle;
    int mount_id, failed = take_handle(place, &handle, &mount_id);
    return failed ? failed
                  : close_answer(open_by_handle_at(place->sibling_fd, &handle.handle, flags));
}

static int do_open_handle_read(const struct place *place)
{
    return open_by_handle(place, O_RDONLY);
}

static int do_open_handle_write(const struct place *place)
{
    return open_by_handle(place, O_WRONLY);
}

static int do_list(const struct place *place)
{
    int fd = openat(place->directory_fd, place->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return errno;
    do
        errno = 0;
    while (readdir(directory));
    int failed = errno;
    closedir(directory);
    return failed;
}

static int do_readlink(const struct place *place)
{
    char target[256];
    if (place->target_fd >= 0)
        return answer(readlinkat(place->target_fd, "", target, sizeof(target)));
    return answer(readlinkat(place->directory_fd, place->name, target, sizeof(target)));
}

static int do_get_attribute(const struct place *place)
{
    char path[4200], value[64];
    place_path(place, path, sizeof(path));
    return answer(getxattr(path, "user.probe", value, sizeof(value)));
}

static int do_list_attributes(const struct place *place)
{
    char path[4200], names[4096];
    place_path(place, path, sizeof(path));
    return answer(listxattr(path, names, sizeof(names)));
}

/* --- opening --- */

static int do_open(const struct place *place, int flags)
{
    return close_answer(openat(place->directory_fd, place->name, flags | O_NONBLOCK, 0644));
}

#define OPENING(name, flags)                                                                       \
    static int do_open_##name(const struct place *place)                                           \
    {                                                                                              \
        return do_open(place, flags);                                                              \
    }

OPENING(read, O_RDONLY)
OPENING(write, O_WRONLY)
OPENING(read_write, O_RDWR)
OPENING(append, O_WRONLY | O_APPEND)
OPENING(truncate, O_RDONLY | O_TRUNC)
OPENING(mode_3, O_ACCMODE)
OPENING(create_write, O_WRONLY | O_CREAT)
OPENING(create_truncate, O_WRONLY | O_CREAT | O_TRUNC)
OPENING(create_read, O_RDONLY | O_CREAT)
OPENING(exclusive, O_WRONLY | O_CREAT | O_EXCL)
OPENING(path, O_PATH)
OPENING(path_no_follow, O_PATH | O_NOFOLLOW)
OPENING(directory, O_RDONLY | O_DIRECTORY)
OPENING(nameless, O_RDWR | O_TMPFILE)

/* The kernel's open of a FIFO never asks the view, whose FIFOs are its own. */
OPENING(fifo, O_RDONLY)

static int do_execute(const struct place *place)
{
    int report[2], failed = 0;
    if (pipe2(report, O_CLOEXEC) < 0)
        return errno;
    pid_t child = fork();
    if (child == 0) {
        char *const arguments[] = {(char[]){"attack"}, NULL};
        execveat(place->directory_fd, place->name, arguments, environ, 0);
        failed = errno;
        if (write(report[1], &failed, sizeof(failed)) < 0)
            _exit(126);
        _exit(127);
    }
    close(report[1]);
    if (child < 0)
        failed = errno;
    else if (read(report[0], &failed, sizeof(failed)) < 0)
        failed = errno;
    close(report[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return failed;
}

static int do_connect(const struct place *place)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[4200];
    place_path(place, path, sizeof(path));
    if (strlen(path) >= sizeof(address.sun_path))
        return E2BIG;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0 ? errno : answer(connect(fd, (void *)&address, sizeof(address)));
    if (fd >= 0)
        close(fd);
    return failed;
}
enum { E = ENOENT, A = EACCES, X = EEXIST, D = ENOTDIR, N = ENOTSUP, R = ECONNREFUSED, L = ENXIO };

/* clang-format off */
const struct row look_rows[] = {
    /*                                                          none  view     read    write    way */
    {"stat",             do_stat,          A_FILE,      BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"stat",             do_stat,          A_DIRECTORY, BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, E}},
    {"lstat",            do_stat,          A_LINK,      BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"stat",             do_stat,          A_FIFO,      BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"statx",            do_statx,         A_FILE,      BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"access F_OK",      do_access_exists, A_FILE,      BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"access R_OK",      do_access_read,   A_FILE,      BY_OBJECT, E, {A, E}, {0, E}, {0, E}, {0, 0}},
    {"access W_OK",      do_access_write,  A_FILE,      BY_OBJECT, E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"access X_OK",      do_access_execute, A_FILE,     BY_OBJECT, E, {A, E}, {0, E}, {0, E}, {0, 0}},
    {"access R_OK",      do_access_read,   A_DIRECTORY, BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, E}},
    {"access W_OK",      do_access_write,  A_DIRECTORY, BY_OBJECT, E, {A, E}, {A, E}, {0, E}, {A, E}},
    {"statfs",           do_statfs,        A_FILE,      BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"statfs",           do_statfs,        A_DIRECTORY, BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, E}},
    {"chdir",            do_chdir,         A_DIRECTORY, BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, E}},
    {"inotify_add_watch", do_watch,        A_FILE,      BY_OBJECT | BY_LEVEL,
                                                                   E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"inotify_add_watch", do_watch,        A_FILE,      BY_OBJECT | BY_MODE,
                                                                   E, {A, E}, {0, E}, {0, E}, {0, 0}},
    {"inotify_add_watch", do_watch,        A_DIRECTORY, BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, E}},
    {"name_to_handle_at", do_name_to_handle, A_FILE,    BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"open_by_handle_at to read", do_open_handle_read, A_FILE, BY_OBJECT | NEEDS_ROOT,
                                                                   E, {A, E}, {0, E}, {0, E}, {0, 0}},
    {"open_by_handle_at to write", do_open_handle_write, A_FILE, BY_OBJECT | NEEDS_ROOT,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"readdir",          do_list,          A_DIRECTORY, BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, E}},
    {"readlink",         do_readlink,      A_LINK,      BY_OBJECT, E, {A, E}, {0, E}, {0, E}, {0, 0}},
    {"getxattr",         do_get_attribute, A_FILE,      BY_OBJECT, E, {A, E}, {0, E}, {0, E}, {0, 0}},
    {"getxattr",         do_get_attribute, A_DIRECTORY, BY_OBJECT, E, {A, E}, {0, E}, {0, E}, {A, E}},
    {"listxattr",        do_list_attributes, A_FILE,    BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"listxattr",        do_list_attributes, A_DIRECTORY, BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, E}},

    {"open to read",     do_open_read,     A_FILE,      BY_OBJECT, E, {A, E}, {0, E}, {0, E}, {0, 0}},
    {"open to write",    do_open_write,    A_FILE,      BY_OBJECT, E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"open to read and write", do_open_read_write, A_FILE, BY_OBJECT,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"open to append",   do_open_append,   A_FILE,      BY_OBJECT, E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"open to read with O_TRUNC", do_open_truncate, A_FILE, BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"open with access mode 3", do_open_mode_3, A_FILE, BY_OBJECT, E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"open with O_CREAT to write", do_open_create_write, A_FILE, CHANGES,
                                                                   A, {A, A}, {A, A}, {0, 0}, {0, 0}},
    {"open with O_CREAT and O_TRUNC", do_open_create_truncate, A_FILE, CHANGES,
                                                                   A, {A, A}, {A, A}, {0, 0}, {0, 0}},
    {"open with O_CREAT to read", do_open_create_read, A_FILE, CHANGES,
                                                                   A, {A, A}, {0, A}, {0, 0}, {0, 0}},
    {"open with O_EXCL", do_open_exclusive, A_FILE,     CHANGES,   A, {X, A}, {X, A}, {X, 0}, {0, 0}},
    {"open with O_PATH", do_open_path,     A_FILE,      BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"open with O_PATH", do_open_path,     A_DIRECTORY, BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, E}},
    {"open with O_PATH", do_open_path_no_follow, A_LINK, 0,        E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"open with O_DIRECTORY", do_open_directory, A_FILE, BY_OBJECT, E, {D, E}, {D, E}, {D, E}, {0, 0}},
    {"open with O_DIRECTORY", do_open_directory, A_DIRECTORY, BY_OBJECT,
                                                                   E, {0, E}, {0, E}, {0, E}, {0, E}},
    {"open with O_TMPFILE", do_open_nameless, A_DIRECTORY, BY_OBJECT | WITH_NAMELESS,
                                                                   E, {A, E}, {A, E}, {0, E}, {A, E}},
    {"open with O_TMPFILE", do_open_nameless, A_DIRECTORY, BY_OBJECT | WITHOUT_NAMELESS | BY_LEVEL,
                                                                   E, {N, E}, {N, E}, {N, E}, {N, E}},
    {"open with O_TMPFILE", do_open_nameless, A_DIRECTORY, BY_OBJECT | WITHOUT_NAMELESS | BY_MODE,
                                                                   E, {A, E}, {A, E}, {N, E}, {A, E}},
    {"open through a symlink", do_open_read, A_LINK,    0,         E, {A, E}, {0, E}, {0, E}, {0, 0}},
    {"open a FIFO",      do_open_fifo,     A_FIFO,      BY_OBJECT | BY_LEVEL,
                                                                   E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"open a FIFO",      do_open_fifo,     A_FIFO,      BY_OBJECT | BY_MODE,
                                                                   E, {A, E}, {0, E}, {0, E}, {0, 0}},
    {"open a socket",    do_open_read,     A_SOCKET,    BY_OBJECT | BY_LEVEL,
                                                                   E, {L, E}, {L, E}, {L, E}, {0, 0}},
    {"open a socket",    do_open_read,     A_SOCKET,    BY_OBJECT | BY_MODE,
                                                                   E, {A, E}, {L, E}, {L, E}, {0, 0}},
    {"connect to a socket of the source", do_connect, A_SOCKET, BY_OBJECT | BY_LEVEL,
                                                                   E, {R, E}, {R, E}, {R, E}, {0, 0}},
    {"connect to a socket of the source", do_connect, A_SOCKET, BY_OBJECT | BY_MODE,
                                                                   E, {A, E}, {A, E}, {R, E}, {0, 0}},
    {"execve",           do_execute,       A_FILE,      BY_OBJECT, E, {A, E}, {0, E}, {0, E}, {0, 0}},
};
/* clang-format on */

const size_t look_row_count = sizeof(look_rows) / sizeof(look_rows[0]);
