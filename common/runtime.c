#include "scopefs/runtime.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

char *runtime_path(void)
{
    if (geteuid() == 0)
        return xstrdup("/run/scopefs");
    const char *base = secure_getenv("XDG_RUNTIME_DIR");
    if (base && base[0] == '/' && access(base, X_OK) == 0)
        return xasprintf("%s/scopefs", base);
    return xasprintf("/tmp/scopefs-%u", (unsigned)geteuid());
}

int runtime_open(struct error **error)
{
    cleanup_free char *path = runtime_path();
    mode_t mode = geteuid() == 0 ? 0755 : 0700;
    cleanup_fd int fd = open(path, FOLDER_FLAGS);
    if (fd < 0 && errno == ENOENT) {
        if (mkdir(path, mode) < 0 && errno != EEXIST)
            return error_set(error, errno, "cannot create the runtime folder %s", path);
        fd = open(path, FOLDER_FLAGS);
    }
    struct stat found;
    if (fd < 0 || fstat(fd, &found) < 0)
        return error_set(error, errno, "cannot open the runtime folder %s", path);
    if (found.st_uid != geteuid() || (found.st_mode & 022))
        return error_set(error, 0,
                         "%s belongs to somebody else or is writable by others; remove it, or set "
                         "XDG_RUNTIME_DIR to a folder of your own",
                         path);
    return fd_steal(&fd);
}

char *runtime_mount_path(const char *scope_name)
{
    cleanup_free char *runtime = runtime_path();
    return xasprintf("%s/%s", runtime, scope_name);
}

char *runtime_program(const char *program)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length > 0 && (size_t)length < sizeof(self) - 1) {
        self[length] = '\0';
        char *slash = strrchr(self, '/');
        if (slash) {
            *slash = '\0';
            char *beside = xasprintf("%s/%s", self, program);
            if (access(beside, X_OK) == 0)
                return beside;
            free(beside);
        }
    }
    return xasprintf("%s/%s", SCOPEFS_BINDIR, program);
}
