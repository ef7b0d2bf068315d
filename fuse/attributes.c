#include "attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

/* What a directory shows in which something may be hidden: the true values count hidden entries. */
enum { HIDING_LINKS = 1, HIDING_SIZE = 4096, HIDING_BLOCKS = 8 };

static struct timespec time_from(const struct statx_timestamp *time)
{
    return (struct timespec){.tv_sec = time->tv_sec, .tv_nsec = time->tv_nsec};
}

static void stat_from(const struct statx *from, struct stat *to)
{
    *to = (struct stat){
        .st_dev = makedev(from->stx_dev_major, from->stx_dev_minor),
        .st_ino = from->stx_ino,
        .st_mode = from->stx_mode,
        .st_nlink = from->stx_nlink,
        .st_uid = from->stx_uid,
        .st_gid = from->stx_gid,
        .st_rdev = makedev(from->stx_rdev_major, from->stx_rdev_minor),
        .st_size = (off_t)from->stx_size,
        .st_blksize = (blksize_t)from->stx_blksize,
        .st_blocks = (blkcnt_t)from->stx_blocks,
        .st_atim = time_from(&from->stx_atime),
        .st_mtim = time_from(&from->stx_mtime),
        .st_ctim = time_from(&from->stx_ctime),
    };
}

static struct statx_timestamp extended_time(const struct timespec *time)
{
    return (struct statx_timestamp){.tv_sec = time->tv_sec, .tv_nsec = (uint32_t)time->tv_nsec};
}

void attributes_extend(const struct stat *attributes, int64_t birth_ns, struct statx *extended)
{
    *extended = (struct statx){
        .stx_mask = STATX_BASIC_STATS | (birth_ns ? STATX_BTIME : 0),
        .stx_blksize = (uint32_t)attributes->st_blksize,
        .stx_nlink = (uint32_t)attributes->st_nlink,
        .stx_uid = attributes->st_uid,
        .stx_gid = attributes->st_gid,
        .stx_mode = (uint16_t)attributes->st_mode,
        .stx_ino = attributes->st_ino,
        .stx_size = (uint64_t)attributes->st_size,
        .stx_blocks = (uint64_t)attributes->st_blocks,
        .stx_rdev_major = major(attributes->st_rdev),
        .stx_rdev_minor = minor(attributes->st_rdev),
        .stx_atime = extended_time(&attributes->st_atim),
        .stx_btime = {.tv_sec = birth_ns / 1000000000,
                      .tv_nsec = (uint32_t)(birth_ns % 1000000000)},
        .stx_ctime = extended_time(&attributes->st_ctim),
        .stx_mtime = extended_time(&attributes->st_mtim),
    };
}

int attributes_read(int fd, const char *name, struct stat *attributes, struct identity *identity)
{
    struct statx found;
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name ? 0 : AT_EMPTY_PATH);
    if (statx(fd, name ? name : "", flags, STATX_BASIC_STATS | STATX_BTIME, &found) < 0)
        return errno;
    if (name && (found.stx_attributes & STATX_ATTR_MOUNT_ROOT))
        return EXDEV;
    stat_from(&found, attributes);
    *identity = (struct identity){
        .device = attributes->st_dev,
        .inode = attributes->st_ino,
        .birth_ns = found.stx_mask & STATX_BTIME
                        ? found.stx_btime.tv_sec * 1000000000 + found.stx_btime.tv_nsec
                        : 0,
        .type = attributes->st_mode & S_IFMT,
    };
    return 0;
}

static mode_t shown_permissions(const struct state *state, mode_t permissions)
{
    switch (state_level(state)) {
    case LEVEL_WRITE:
        return permissions;
    case LEVEL_READ:
        return permissions & ~(mode_t)0222;
    case LEVEL_VIEW:
        return 0;
    case LEVEL_NONE:
        return permissions & 0555; /* a way through */
    }
    return 0;
}

/* Where the kernel checks permissions by what is shown, a directory must not refuse what the level
 * of the path in it allows. */
static mode_t checked_permissions(const struct state *state, mode_t permissions)
{
    return state_reach(state) == LEVEL_WRITE ? permissions : permissions & 0555;
}

void attributes_mask(const struct view *view, const struct state *state, struct stat *attributes)
{
    mode_t permissions = attributes->st_mode & ~(mode_t)S_IFMT;
    bool checked = view->modes_checked && S_ISDIR(attributes->st_mode);
    /* Nobody uses the permissions of a symlink, and tools know that they are always the same. */
    bool kept = S_ISLNK(attributes->st_mode) && state_level(state) >= LEVEL_READ;
    if (!kept)
        attributes->st_mode =
            (attributes->st_mode & S_IFMT) |
            (checked ? checked_permissions : shown_permissions)(state, permissions);
    if (S_ISDIR(attributes->st_mode) && state_may_hide(state)) {
        attributes->st_nlink = HIDING_LINKS;
        attributes->st_size = HIDING_SIZE;
        attributes->st_blocks = HIDING_BLOCKS;
    }
    if (view->for_one_user) {
        attributes->st_uid = view->user;
        attributes->st_gid = view->group;
    }
}
