#include "table_rows.h"

#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define HELD(name, call)                                                                           \
    static int held_##name(int fd, const struct place *place)                                      \
    {                                                                                              \
        (void)place;                                                                               \
        return answer(call);                                                                       \
    }

static char bytes[64];
static struct stat found;
static struct statfs found_system;
static const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
static int attribute_flags;

HELD(stat, fstat(fd, &found))
HELD(statfs, fstatfs(fd, &found_system))
HELD(read, pread(fd, bytes, sizeof(bytes), 0))
HELD(write, pwrite(fd, "x", 1, 0))
HELD(truncate, ftruncate(fd, 1))
HELD(chmod, fchmod(fd, 0700))
HELD(chown, fchown(fd, geteuid(), getegid()))
HELD(set_times, futimens(fd, times))
HELD(set_attribute, fsetxattr(fd, "user.made", "x", 1, 0))
HELD(get_attribute, fgetxattr(fd, "user.probe", bytes, sizeof(bytes)))
HELD(list_attributes, flistxattr(fd, NULL, 0))
HELD(remove_attribute, fremovexattr(fd, "user.probe"))
HELD(allocate, fallocate(fd, 0, 0, 100000))
HELD(punch, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1))
HELD(seek, lseek(fd, 0, SEEK_DATA))
HELD(sync, fsync(fd))
HELD(lock, flock(fd, LOCK_EX | LOCK_NB))
HELD(get_flags, ioctl(fd, FS_IOC_GETFLAGS, &attribute_flags))
HELD(set_flags, ioctl(fd, FS_IOC_SETFLAGS, &attribute_flags))
HELD(chdir, fchdir(fd))
HELD(list, syscall(SYS_getdents64, fd, bytes, sizeof(bytes)))

static int held_write_lock(int fd, const struct place *place)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    (void)place;
    return answer(fcntl(fd, F_SETLK, &lock));
}

static int map(int fd, int protection)
{
    void *memory = mmap(NULL, 1, protection, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return errno;
    if (protection & PROT_WRITE)
        *(volatile char *)memory = 'm';
    munmap(memory, 1);
    return 0;
}

static int held_map_read(int fd, const struct place *place)
{
    (void)place;
    return map(fd, PROT_READ);
}

static int held_map_write(int fd, const struct place *place)
{
    (void)place;
    return map(fd, PROT_READ | PROT_WRITE);
}

static int held_map_read_protect(int fd, const struct place *place)
{
    (void)place;
    void *memory = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return errno;
    int failed = answer(mprotect(memory, 1, PROT_READ | PROT_WRITE));
    munmap(memory, 1);
    return failed;
}

/* From the held file to another, or the other way. */
static int copy(int fd, const struct place *place, bool from, bool with_sendfile)
{
    int other = openat(place->sibling_fd, "write-spare", O_RDWR | O_CLOEXEC);
    if (other < 0)
        return errno;
    int in = from ? fd : other, out = from ? other : fd;
    int failed = answer(with_sendfile ? sendfile(out, in, NULL, 4)
                                      : copy_file_range(in, NULL, out, NULL, 4, 0));
    close(other);
    return failed;
}

static int held_copy_from(int fd, const struct place *place)
{
    return copy(fd, place, true, false);
}

static int held_copy_to(int fd, const struct place *place)
{
    return copy(fd, place, false, false);
}

static int held_send_from(int fd, const struct place *place)
{
    return copy(fd, place, true, true);
}

static int held_send_to(int fd, const struct place *place)
{
    return copy(fd, place, false, true);
}

static int reopen(int fd, int flags)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int again = open(path, flags | O_CLOEXEC);
    int failed = answer(again);
    if (again >= 0)
        close(again);
    return failed;
}

static int held_reopen_read(int fd, const struct place *place)
{
    (void)place;
    return reopen(fd, O_RDONLY);
}

static int held_reopen_write(int fd, const struct place *place)
{
    (void)place;
    return reopen(fd, O_WRONLY);
}

static int held_link(int fd, const struct place *place)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return answer(linkat(AT_FDCWD, path, place->sibling_fd, "write-absent", AT_SYMLINK_FOLLOW));
}

static int held_make(int fd, const struct place *place)
{
    (void)place;
    return answer(mkdirat(fd, "made", 0755));
}

enum { A = EACCES, B = EBADF, P = EPERM, I = EINVAL, Y = ENOTTY };

/* clang-format off */
const struct held_row held_rows[] = {
    /*                                                              view read write way */
    {"fstat",              held_stat,          A_FILE,      0,         0, 0, 0, 0},
    {"fstat",              held_stat,          A_DIRECTORY, 0,         0, 0, 0, 0},
    {"fstatfs",            held_statfs,        A_FILE,      0,         0, 0, 0, 0},
    {"read",               held_read,          A_FILE,      0,         B, 0, 0, 0},
    {"write",              held_write,         A_FILE,      CHANGES,   B, B, 0, 0},
    {"ftruncate",          held_truncate,      A_FILE,      CHANGES,   B, I, 0, 0},
    {"fchmod",             held_chmod,         A_FILE,      CHANGES,   B, P, 0, 0},
    {"fchmod",             held_chmod,         A_DIRECTORY, CHANGES,   A, P, 0, A},
    {"fchown",             held_chown,         A_FILE,      CHANGES,   B, P, 0, 0},
    {"fchown",             held_chown,         A_DIRECTORY, CHANGES,   A, P, 0, A},
    {"futimens",           held_set_times,     A_FILE,      CHANGES,   B, A, 0, 0},
    {"futimens",           held_set_times,     A_DIRECTORY, CHANGES,   A, A, 0, A},
    {"fsetxattr",          held_set_attribute, A_FILE,      CHANGES,   B, A, 0, 0},
    {"fsetxattr",          held_set_attribute, A_DIRECTORY, CHANGES,   A, A, 0, A},
    {"fgetxattr",          held_get_attribute, A_FILE,      0,         B, 0, 0, 0},
    {"flistxattr",         held_list_attributes, A_FILE,    0,         B, 0, 0, 0},
    {"fremovexattr",       held_remove_attribute, A_FILE,   CHANGES,   B, A, 0, 0},
    {"fallocate",          held_allocate,      A_FILE,      CHANGES,   B, B, 0, 0},
    {"fallocate of a hole", held_punch,        A_FILE,      CHANGES,   B, B, 0, 0},
    {"lseek to data",      held_seek,          A_FILE,      0,         B, 0, 0, 0},
    {"fsync",              held_sync,          A_FILE,      0,         B, 0, 0, 0},
    {"fsync",              held_sync,          A_DIRECTORY, 0,         0, 0, 0, 0},
    {"flock",              held_lock,          A_FILE,      0,         B, 0, 0, 0},
    {"lock for writing",   held_write_lock,    A_FILE,      0,         B, B, 0, 0},
    {"ioctl to get flags", held_get_flags,     A_FILE,      0,         B, Y, Y, 0},
    {"ioctl to set flags", held_set_flags,     A_FILE,      CHANGES,   B, Y, Y, 0},
    {"ioctl to set flags", held_set_flags,     A_DIRECTORY, CHANGES,   Y, Y, Y, Y},
    {"fchdir",             held_chdir,         A_DIRECTORY, 0,         0, 0, 0, 0},
    {"getdents",           held_list,          A_DIRECTORY, 0,         0, 0, 0, 0},
    {"mmap to read",       held_map_read,      A_FILE,      0,         B, 0, 0, 0},
    {"mmap to write",      held_map_write,     A_FILE,      CHANGES,   B, A, 0, 0},
    {"mprotect to write",  held_map_read_protect, A_FILE,   0,         B, A, 0, 0},
    {"copy_file_range from it", held_copy_from, A_FILE,     CHANGES,   B, 0, 0, 0},
    {"copy_file_range to it", held_copy_to,    A_FILE,      CHANGES,   B, B, 0, 0},
    {"sendfile from it",   held_send_from,     A_FILE,      CHANGES,   B, 0, 0, 0},
    {"sendfile to it",     held_send_to,       A_FILE,      CHANGES,   B, B, 0, 0},
    {"open to read again", held_reopen_read,   A_FILE,      0,         A, 0, 0, 0},
    {"open to write again", held_reopen_write, A_FILE,      0,         A, A, 0, 0},
    {"link from it",       held_link,          A_FILE,      CHANGES,   A, A, 0, 0},
    {"mkdir in it",        held_make,          A_DIRECTORY, CHANGES,   A, A, 0, A},
};
/* clang-format on */

const size_t held_row_count = sizeof(held_rows) / sizeof(held_rows[0]);
