/* Rows of what makes, renames, removes and changes things. */
#include "table_rows.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef RENAME_WHITEOUT
#define RENAME_WHITEOUT (1 << 2)
#endif

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
enum { E = ENOENT, A = EACCES, P = EPERM, X = EEXIST, D = ENOTDIR, I = EINVAL, B = EADDRINUSE };

/* clang-format off */
const struct row change_rows[] = {
    /*                                                          none  view     read    write    way */
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

const size_t change_row_count = sizeof(change_rows) / sizeof(change_rows[0]);
