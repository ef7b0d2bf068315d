#include "scopefs/audit_file.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LIMIT = 512 * 1024 };

char *audit_file_name(const char *scope, unsigned generation)
{
    return generation ? xasprintf(".%s.audit.%u", scope, generation)
                      : xasprintf(".%s.audit", scope);
}

void audit_file_open(struct audit_file *file, const char *scope)
{
    *file = (struct audit_file){.scope = scope, .folder_fd = runtime_open(NULL), .fd = -1};
}

/* Another view of the scope may have renamed the file meanwhile. */
static bool is_current(const struct audit_file *file, const char *name, struct stat *own)
{
    struct stat found;
    return fstat(file->fd, own) == 0 && fstatat(file->folder_fd, name, &found, 0) == 0 &&
           found.st_ino == own->st_ino && found.st_dev == own->st_dev;
}

/* Makes room by renaming. Whoever first has the lock of the full file does it. */
static void rotate(struct audit_file *file, const char *name)
{
    struct stat own;
    if (flock(file->fd, LOCK_EX | LOCK_NB) == 0 && is_current(file, name, &own))
        for (unsigned to = AUDIT_GENERATIONS - 1; to > 0; to--) {
            cleanup_free char *old_name = audit_file_name(file->scope, to - 1);
            cleanup_free char *new_name = audit_file_name(file->scope, to);
            renameat(file->folder_fd, old_name, file->folder_fd, new_name);
        }
    fd_close(&file->fd);
}

static int open_current(struct audit_file *file)
{
    cleanup_free char *name = audit_file_name(file->scope, 0);
    struct stat own;
    if (file->fd >= 0 && !is_current(file, name, &own))
        fd_close(&file->fd);
    else if (file->fd >= 0 && own.st_size >= FILE_LIMIT)
        rotate(file, name);
    if (file->fd < 0)
        file->fd =
            openat(file->folder_fd, name,
                   O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    return file->fd;
}

int audit_file_add(struct audit_file *file, const struct strbuf *lines)
{
    return open_current(file) < 0 ? -1 : fd_write_all(file->fd, lines->bytes, lines->length);
}

void audit_file_close(struct audit_file *file)
{
    fd_close(&file->folder_fd);
    fd_close(&file->fd);
}
