#include "table_rows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef RENAME_WHITEOUT
#define RENAME_WHITEOUT (1 << 2)
#endif

static int answer(long result)
{
    return result < 0 ? errno : 0;
}

static int close_answer(int fd)
{
    int failed = answer(fd);
    if (fd >= 0)
        close(fd);
    return failed;
}

/* The object's /proc/self/fd entry is a link that has to be followed. */
static int no_follow(const struct place *place)
{
    return place->target_fd < 0 ? AT_SYMLINK_NOFOLLOW : 0;
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

/* --- making --- */

static int do_mkdir(const struct place *place)
{
    return answer(mkdirat(place->directory_fd, place->name, 0755));
}

static int do_make_file(const struct place *place)
{
    return answer(mknodat(place->directory_fd, place->name, S_IFREG | 0644, 0));
}

static int do_make_fifo(const struct place *place)
{
    return answer(mkfifoat(place->directory_fd, place->name, 0644));
}

static int do_make_device(const struct place *place)
{
    return answer(mknodat(place->directory_fd, place->name, S_IFCHR | 0666, makedev(1, 3)));
}

static int do_symlink(const struct place *place)
{
    return answer(symlinkat("write-spare", place->directory_fd, place->name));
}

static int do_bind(const struct place *place)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[4200];
    place_path(place, path, sizeof(path));
    if (strlen(path) >= sizeof(address.sun_path))
        return E2BIG;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0 ? errno : answer(bind(fd, (void *)&address, sizeof(address)));
    if (fd >= 0)
        close(fd);
    return failed;
}

static int do_link_from(const struct place *place)
{
    return answer(linkat(place->directory_fd, place->name, place->sibling_fd, "write-absent",
                         place->target_fd < 0 ? 0 : AT_SYMLINK_FOLLOW));
}

static int do_link_to(const struct place *place)
{
    return answer(linkat(place->sibling_fd, "write-spare", place->directory_fd, place->name, 0));
}

/* --- renaming and removing --- */

static int rename_from(const struct place *place, unsigned flags)
{
    return answer(
        renameat2(place->directory_fd, place->name, place->sibling_fd, "write-absent", flags));
}

static int rename_to(const struct place *place, const char *from, unsigned flags)
{
    return answer(renameat2(place->sibling_fd, from, place->directory_fd, place->name, flags));
}

static int do_rename_from(const struct place *place)
{
    return rename_from(place, 0);
}

static int do_rename_from_no_replace(const struct place *place)
{
    return rename_from(place, RENAME_NOREPLACE);
}

static int do_rename_whiteout(const struct place *place)
{
    return rename_from(place, RENAME_WHITEOUT);
}

static int do_rename_to(const struct place *place)
{
    return rename_to(place, "write-spare", 0);
}

static int do_rename_to_no_replace(const struct place *place)
{
    return rename_to(place, "write-spare", RENAME_NOREPLACE);
}

static int do_rename_directory_to(const struct place *place)
{
    return rename_to(place, "write-spare-directory", 0);
}

static int do_exchange_from(const struct place *place)
{
    return answer(renameat2(place->directory_fd, place->name, place->sibling_fd, "write-spare",
                            RENAME_EXCHANGE));
}

static int do_exchange_to(const struct place *place)
{
    return rename_to(place, "write-spare", RENAME_EXCHANGE);
}

static int do_unlink(const struct place *place)
{
    return answer(unlinkat(place->directory_fd, place->name, 0));
}

static int do_rmdir(const struct place *place)
{
    return answer(unlinkat(place->directory_fd, place->name, AT_REMOVEDIR));
}

/* --- changing --- */

static int do_chmod(const struct place *place)
{
    return answer(fchmodat(place->directory_fd, place->name, 0700, 0));
}

static int do_chmod_setuid(const struct place *place)
{
    return answer(fchmodat(place->directory_fd, place->name, 04755, 0));
}

static int do_chown(const struct place *place)
{
    return answer(
        fchownat(place->directory_fd, place->name, geteuid(), getegid(), no_follow(place)));
}

static int do_set_times(const struct place *place)
{
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
    return answer(utimensat(place->directory_fd, place->name, times, no_follow(place)));
}

static int do_touch(const struct place *place)
{
    return answer(utimensat(place->directory_fd, place->name, NULL, no_follow(place)));
}

static int do_truncate(const struct place *place)
{
    char path[4200];
    place_path(place, path, sizeof(path));
    return answer(truncate(path, 1));
}

static int set_attribute(const struct place *place, const char *name)
{
    char path[4200];
    place_path(place, path, sizeof(path));
    return answer(setxattr(path, name, "x", 1, 0));
}

static int do_set_attribute(const struct place *place)
{
    return set_attribute(place, "user.made");
}

static int do_set_trusted_attribute(const struct place *place)
{
    return set_attribute(place, "trusted.made");
}

static int do_remove_attribute(const struct place *place)
{
    char path[4200];
    place_path(place, path, sizeof(path));
    return answer(removexattr(path, "user.probe"));
}

enum {
    E = ENOENT,
    A = EACCES,
    P = EPERM,
    X = EEXIST,
    D = ENOTDIR,
    I = EINVAL,
    N = ENOTSUP,
    B = EADDRINUSE,
    R = ECONNREFUSED,
    L = ENXIO
};

/* clang-format off */
const struct row table_rows[] = {
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
    {"inotify_add_watch", do_watch,        A_FILE,      BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
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
    {"open with O_TMPFILE", do_open_nameless, A_DIRECTORY, BY_OBJECT,
                                                                   E, {N, E}, {N, E}, {N, E}, {N, E}},
    {"open through a symlink", do_open_read, A_LINK,    0,         E, {A, E}, {0, E}, {0, E}, {0, 0}},
    {"open a FIFO",      do_open_fifo,     A_FIFO,      BY_OBJECT, E, {0, E}, {0, E}, {0, E}, {0, 0}},
    {"open a socket",    do_open_read,     A_SOCKET,    BY_OBJECT, E, {L, E}, {L, E}, {L, E}, {0, 0}},
    {"connect to a socket of the source", do_connect, A_SOCKET, BY_OBJECT,
                                                                   E, {R, E}, {R, E}, {R, E}, {0, 0}},
    {"execve",           do_execute,       A_FILE,      BY_OBJECT, E, {A, E}, {0, E}, {0, E}, {0, 0}},

    {"mkdir",            do_mkdir,         A_DIRECTORY, CHANGES,   A, {X, A}, {X, A}, {X, 0}, {X, A}},
    {"mkdir",            do_mkdir,         A_FILE,      CHANGES,   A, {X, A}, {X, A}, {X, 0}, {0, 0}},
    {"mknod of a file",  do_make_file,     A_FILE,      CHANGES,   A, {X, A}, {X, A}, {X, 0}, {0, 0}},
    {"mkfifo",           do_make_fifo,     A_FIFO,      CHANGES,   A, {X, A}, {X, A}, {X, 0}, {0, 0}},
    {"mknod of a device", do_make_device,  A_FILE,      CHANGES | NEEDS_ROOT,
                                                                   A, {X, A}, {X, A}, {X, P}, {0, 0}},
    {"symlink",          do_symlink,       A_LINK,      CHANGES,   A, {X, A}, {X, A}, {X, 0}, {0, 0}},
    {"bind of a socket", do_bind,          A_SOCKET,    CHANGES,   A, {B, A}, {B, A}, {B, 0}, {0, 0}},
    {"link from it",     do_link_from,     A_FILE,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"link from it",     do_link_from,     A_LINK,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"link to it",       do_link_to,       A_FILE,      CHANGES,   A, {X, A}, {X, A}, {X, 0}, {0, 0}},

    {"rename from it",   do_rename_from,   A_FILE,      CHANGES,   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"rename from it",   do_rename_from,   A_DIRECTORY, CHANGES,   E, {A, E}, {A, E}, {0, E}, {A, E}},
    {"rename from it",   do_rename_from,   A_LINK,      CHANGES,   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"rename from it with NOREPLACE", do_rename_from_no_replace, A_FILE, CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"rename from it with WHITEOUT", do_rename_whiteout, A_FILE, CHANGES,
                                                                   E, {I, E}, {I, E}, {I, E}, {0, 0}},
    {"rename onto it",   do_rename_to,     A_FILE,      CHANGES,   A, {A, A}, {A, A}, {0, 0}, {0, 0}},
    {"rename onto it",   do_rename_directory_to, A_DIRECTORY, CHANGES,
                                                                   A, {A, A}, {A, A}, {0, 0}, {A, A}},
    {"rename onto it with NOREPLACE", do_rename_to_no_replace, A_FILE, CHANGES,
                                                                   A, {X, A}, {X, A}, {X, 0}, {0, 0}},
    {"exchange of it",   do_exchange_from, A_FILE,      CHANGES,   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"exchange of it",   do_exchange_from, A_DIRECTORY, CHANGES,   E, {A, E}, {A, E}, {0, E}, {A, E}},
    {"exchange with it", do_exchange_to,   A_FILE,      CHANGES,   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"exchange with it", do_exchange_to,   A_DIRECTORY, CHANGES,   E, {A, E}, {A, E}, {0, E}, {A, E}},
    {"unlink",           do_unlink,        A_FILE,      CHANGES,   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"unlink",           do_unlink,        A_LINK,      CHANGES,   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"unlink",           do_unlink,        A_FIFO,      CHANGES,   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"rmdir",            do_rmdir,         A_DIRECTORY, CHANGES,   E, {A, E}, {A, E}, {0, E}, {A, E}},
    {"rmdir",            do_rmdir,         A_FILE,      CHANGES,   E, {D, E}, {D, E}, {D, E}, {0, 0}},

    {"chmod",            do_chmod,         A_FILE,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {P, E}, {0, E}, {0, 0}},
    {"chmod",            do_chmod,         A_DIRECTORY, BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {P, E}, {0, E}, {A, E}},
    {"chmod to setuid",  do_chmod_setuid,  A_FILE,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {P, E}, {P, E}, {0, 0}},
    {"chown",            do_chown,         A_FILE,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {P, E}, {0, E}, {0, 0}},
    {"chown",            do_chown,         A_DIRECTORY, BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {P, E}, {0, E}, {A, E}},
    {"lchown",           do_chown,         A_LINK,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {P, E}, {0, E}, {0, 0}},
    {"utimensat",        do_set_times,     A_FILE,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"utimensat",        do_set_times,     A_DIRECTORY, BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {A, E}},
    {"utimensat",        do_set_times,     A_LINK,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"utimensat to now", do_touch,         A_FILE,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"truncate",         do_truncate,      A_FILE,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"setxattr",         do_set_attribute, A_FILE,      BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
    {"setxattr",         do_set_attribute, A_DIRECTORY, BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {A, E}},
    {"setxattr of trusted.*", do_set_trusted_attribute, A_FILE, BY_OBJECT | CHANGES,
                                                                   E, {P, E}, {P, E}, {P, E}, {0, 0}},
    {"removexattr",      do_remove_attribute, A_FILE,   BY_OBJECT | CHANGES,
                                                                   E, {A, E}, {A, E}, {0, E}, {0, 0}},
};
/* clang-format on */

const size_t table_row_count = sizeof(table_rows) / sizeof(table_rows[0]);
