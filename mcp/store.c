/* Writing files of the workspace: whole, and where possible at once. */
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define NEW_FILE_MODE      0644
#define NEW_DIRECTORY_MODE 0755

bool status_is_same(const struct stat *one, const struct stat *other)
{
    return one->st_ino == other->st_ino && one->st_size == other->st_size &&
           one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
           one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

int workspace_make_parents(struct call *call, const char *path)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        cleanup_free char *parent = xmemdup0(path, (size_t)(slash - path));
        const char *name;
        cleanup_fd int above = workspace_parent(call, parent, &name);
        if (above >= 0 && (mkdirat(above, name, NEW_DIRECTORY_MODE) == 0 || errno == EEXIST))
            continue;
        int number = errno;
        cleanup_free char *shown = workspace_name(call, parent);
        return call_fail_errno(call, number, shown, "write");
    }
    return 0;
}

int workspace_need_parent(struct call *call, const char *path, const char **name)
{
    if (strcmp(path, ".") == 0)
        return call_fail_errno(call, EISDIR, ".", NULL);
    int fd = workspace_parent(call, path, name);
    if (fd >= 0)
        return fd;
    int number = errno;
    cleanup_free char *shown = workspace_name(call, path);
    return call_fail_errno(call, number, shown, "write");
}

/* All of it, and nothing behind it. 0, or -1 with errno. */
static int fill(int fd, const struct strbuf *bytes, struct stat *status)
{
    if (fd_write_all(fd, bytes->bytes, bytes->length) < 0 ||
        ftruncate(fd, (off_t)bytes->length) < 0)
        return -1;
    return fstat(fd, status);
}

/* The file's own name is the end of it, so that rules by suffix mean it too. */
static void temporary_name(char *buffer, size_t size, const char *name)
{
    uint32_t number = 0;
    (void)!getrandom(&number, sizeof(number), 0);
    size_t length = strlen(name);
    snprintf(buffer, size, ".scopefs-%08x-%s", number, name + (length > 200 ? length - 200 : 0));
}

static int put_in_place(int parent, const char *name, const char *temporary, int fd,
                        const struct strbuf *bytes, const struct stat *old, struct stat *status)
{
    if (fchmod(fd, old->st_mode & 0777) == 0 && fill(fd, bytes, status) == 0 &&
        renameat(parent, temporary, parent, name) == 0)
        return 0;
    int number = errno;
    unlinkat(parent, temporary, 0);
    errno = number;
    return -1;
}

static int write_itself(const struct call *call, const char *path, const struct strbuf *bytes,
                        struct stat *status)
{
    cleanup_fd int fd = workspace_open(call, path, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0);
    return fd < 0 ? -1 : fill(fd, bytes, status);
}

static int replace(const struct call *call, const char *path, const struct strbuf *bytes,
                   const struct stat *old, struct stat *status)
{
    char temporary[256];
    const char *name;
    cleanup_fd int parent = workspace_parent(call, path, &name);
    /* What may not be written must not be replaced either, whatever the directory allows. */
    cleanup_fd int itself = workspace_open(call, path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (parent < 0 || itself < 0)
        return -1;
    temporary_name(temporary, sizeof(temporary), name);
    cleanup_fd int fd =
        openat(parent, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return write_itself(call, path, bytes, status);
    return put_in_place(parent, name, temporary, fd, bytes, old, status);
}

static int create(const struct call *call, const char *path, const struct strbuf *bytes,
                  struct stat *status)
{
    const char *name;
    cleanup_fd int parent = workspace_parent(call, path, &name);
    cleanup_fd int fd =
        parent < 0 ? -1
                   : openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                            NEW_FILE_MODE);
    return fd < 0 ? -1 : fill(fd, bytes, status);
}

static int store(const struct call *call, const char *path, const struct strbuf *bytes,
                 const struct stat *old, struct stat *status)
{
    if (!old)
        return create(call, path, bytes, status);
    if (S_ISDIR(old->st_mode)) {
        errno = EISDIR;
        return -1;
    }
    return S_ISREG(old->st_mode) ? replace(call, path, bytes, old, status)
                                 : write_itself(call, path, bytes, status);
}

int workspace_store(struct call *call, const char *path, const struct strbuf *bytes,
                    const struct stat *expected, struct stat *status)
{
    struct stat old;
    cleanup_free char *name = workspace_name(call, path);
    bool exists = workspace_status(call, path, &old) == 0;
    if (expected && (!exists || (S_ISREG(old.st_mode) && !status_is_same(&old, expected)))) {
        call_fail(call, CODE_CHANGED, name, NULL,
                  "%s: it was changed in the meantime; read it again", name);
        return -1;
    }
    if (store(call, path, bytes, exists ? &old : NULL, status) == 0)
        return 0;
    return call_fail_errno(call, errno, name, "write");
}
