#include "folding.h"

#include "resolve.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Not in every linux/magic.h */
#define MAGIC_CIFS     0xFF534D42
#define MAGIC_SMB2     0xFE534D42
#define MAGIC_NTFS3    0x7366746e
#define MAGIC_HFSP     0x482b
#define MAGIC_BCACHEFS 0xca451a4e

/* How many entries of a source are tried. */
enum { PROBES_AT_MOST = 1000 };

static unsigned long type_of(int fd)
{
    struct statfs system;
    return fstatfs(fd, &system) == 0 ? (unsigned long)system.f_type : 0;
}

static bool type_folds(unsigned long type)
{
    static const unsigned long folding[] = {MSDOS_SUPER_MAGIC, EXFAT_SUPER_MAGIC, MAGIC_CIFS,
                                            MAGIC_SMB2,        MAGIC_NTFS3,       MAGIC_HFSP};
    for (size_t i = 0; i < sizeof(folding) / sizeof(folding[0]); i++)
        if (type == folding[i])
            return true;
    return false;
}

/* The flag of ext4 and its kin (ioctl_iflags(2)); file systems that have no flags do not fold by
 * one.
 */
static bool has_flag(int readable_fd)
{
    int flags = 0;
    return ioctl(readable_fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_CASEFOLD_FL);
}

/* The name with every ASCII letter in the other case. False when it has none. */
static bool respell(const char *name, char *other)
{
    bool differs = false;
    do {
        bool letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');
        *other++ = letter ? (char)(*name ^ 0x20) : *name;
        differs = differs || letter;
    } while (*name++);
    return differs;
}

/* 1: the entry is found by another spelling, 0: it is not, -1: it cannot tell. A second spelling of
 * a file with several names may be one of these. */
static int probe_entry(int directory_fd, const char *name)
{
    struct stat found, other;
    char spelling[NAME_MAX + 1];
    if (strlen(name) > NAME_MAX || !respell(name, spelling) ||
        fstatat(directory_fd, name, &found, AT_SYMLINK_NOFOLLOW) < 0 ||
        (!S_ISDIR(found.st_mode) && found.st_nlink != 1))
        return -1;
    if (fstatat(directory_fd, spelling, &other, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -1;
    return found.st_dev == other.st_dev && found.st_ino == other.st_ino;
}

static bool probe_folds(int readable_fd)
{
    DIR *directory = fdopendir(readable_fd);
    if (!directory) {
        fd_close(&readable_fd);
        return false;
    }
    int answer = -1;
    const struct dirent *found;
    for (unsigned i = 0; answer < 0 && i < PROBES_AT_MOST && (found = readdir(directory)); i++)
        answer = probe_entry(dirfd(directory), found->d_name);
    closedir(directory);
    return answer == 1;
}

bool folding_source(int directory_fd)
{
    if (type_folds(type_of(directory_fd)))
        return true;
    cleanup_fd int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && (has_flag(fd) || probe_folds(fd_steal(&fd)));
}

/* Kernels that can fold there say so in the second file, and those that could say so in the folder.
 */
static bool kernel_may_fold(const char *folder, const char *feature)
{
    return access(feature, F_OK) == 0 || access(folder, F_OK) < 0;
}

bool folding_is_possible(int directory_fd)
{
    switch (type_of(directory_fd)) {
    case EXT4_SUPER_MAGIC:
        return kernel_may_fold("/sys/fs/ext4/features", "/sys/fs/ext4/features/casefold");
    case F2FS_SUPER_MAGIC:
        return kernel_may_fold("/sys/fs/f2fs/features", "/sys/fs/f2fs/features/casefold");
    case TMPFS_MAGIC:
    case MAGIC_BCACHEFS:
        return true;
    default:
        return false;
    }
}

static void tell(struct view *view, struct node *node)
{
    cleanup_node_path struct node_path path;
    cleanup_strbuf struct strbuf quoted = {0};
    if (node_path(view->nodes, node, NULL, &path) == 0)
        strbuf_add_quoted(&quoted, path.bytes, path.length);
    log_warning(
        "%s: the directory /%s takes upper and lower case for the same, so everything in it "
        "is hidden; set 'case = ignore' to show it",
        view->name, quoted.length ? quoted.bytes : "");
}

/* A directory takes the flag while it is empty, and another directory may take its place: that it
 * does not fold is believed for a moment only. */
bool folding_directory(struct view *view, struct node *node)
{
    static const int64_t moment_ns = 250 * 1000 * 1000;
    if (!view->may_fold)
        return false;
    if (atomic_load(&node->folds))
        return true;
    int64_t now = node_now();
    if (now - atomic_load(&node->folds_not_ns) < moment_ns)
        return false;
    cleanup_fd int fd = resolve_open(view, node, NULL, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return true;
    if (!has_flag(fd)) {
        atomic_store(&node->folds_not_ns, now);
        return false;
    }
    if (!atomic_exchange(&node->folds, true))
        tell(view, node);
    return true;
}

bool folding_directory_changed(struct view *view, struct node *node)
{
    if (view->may_fold)
        atomic_store(&node->folds_not_ns, INT64_MIN / 2);
    return folding_directory(view, node);
}
