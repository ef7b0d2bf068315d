#include "run_file.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"
#include "scopefs/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SIZE_LIMIT = 64 * 1024 };

int run_folder_open(struct error **error)
{
    cleanup_fd int runtime_fd = runtime_open(error);
    if (runtime_fd < 0)
        return -1;
    if (mkdirat(runtime_fd, ".run", 0700) < 0 && errno != EEXIST)
        return error_set(error, errno, "cannot create the folder of run files");
    int fd = openat(runtime_fd, ".run", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? error_set(error, errno, "cannot open the folder of run files") : fd;
}

char *run_file_name(const struct mount_row *row)
{
    return xasprintf("%u:%u", row->major, row->minor);
}

static int write_file(int fd, const struct mount_row *row, const char *config_file,
                      struct error **error)
{
    cleanup_strbuf struct strbuf text = {0};
    strbuf_add_format(&text,
                      "scope = %s\npid = %ld\nstarted = %lld\nuser = %u\nmount = ", row->source,
                      (long)getpid(), (long long)time(NULL), row->user);
    strbuf_add_quoted(&text, row->point, strlen(row->point));
    strbuf_add_text(&text, "\nconfig = ");
    strbuf_add_quoted(&text, config_file ? config_file : "", config_file ? strlen(config_file) : 0);
    strbuf_add_text(&text, "\n");
    if (ftruncate(fd, 0) < 0 || fd_write_all(fd, text.bytes, text.length) < 0)
        return error_set(error, errno, "cannot write the run file");
    return 0;
}

bool run_file_is_at(int folder_fd, const char *name, int fd)
{
    struct stat open, named;
    return fstat(fd, &open) == 0 && fstatat(folder_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

/* Opens and locks the file. The kernel gives the number of a view that is gone to the next one, and
 * the supervisor of that may not be through yet: it lets go of its file when it has removed it. */
static int take_file(int folder_fd, const char *name)
{
    enum { TRIES = 2000 };
    for (unsigned tries = 0; tries < TRIES; tries++) {
        cleanup_fd int fd =
            openat(folder_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 && run_file_is_at(folder_fd, name, fd))
            return fd_steal(&fd);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    errno = EWOULDBLOCK;
    return -1;
}

int run_file_create(int folder_fd, const char *point, const char *config_file, char **name,
                    struct error **error)
{
    cleanup_mount_table struct mount_table table = {0};
    if (mount_table_read(&table, error) < 0)
        return -1;
    const struct mount_row *row = mount_table_at(&table, point);
    if (!mount_row_is_view(row))
        return error_set(error, 0, "the view vanished from %s right after it was mounted", point);
    *name = run_file_name(row);
    cleanup_fd int fd = take_file(folder_fd, *name);
    if (fd < 0)
        return error_set(error, errno, "cannot take the run file %s", *name);
    if (write_file(fd, row, config_file, error) < 0)
        return -1;
    return fd_steal(&fd);
}

/* "" when it has none any more. The caller frees it. */
static char *path_of(int fd)
{
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path));
    return xmemdup0(path, length > 0 ? (size_t)length : 0);
}

void run_file_unlink(int fd)
{
    cleanup_free char *path = path_of(fd);
    unlink(path);
}

void run_file_remove(int fd)
{
    cleanup_free char *path = path_of(fd), *socket_path = xasprintf("%s.sock", path);
    unlink(socket_path);
    unlink(path);
    fd_close(&fd);
}

/* The value behind "KEY = " in the text, unquoted; "" when there is none. The caller frees it. */
static char *find_value(const char *text, const char *key)
{
    cleanup_free char *start = xasprintf("\n%s = ", key);
    const char *found = strstr(text, start);
    if (!found)
        return xstrdup("");
    found += strlen(start);
    char *value = xmemdup0(found, strcspn(found, "\n"));
    strbuf_unquote(value);
    return value;
}

bool run_record_read(int folder_fd, const char *name, struct run_record *record)
{
    cleanup_free char *text = NULL;
    size_t size;
    cleanup_fd int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fd_read_file(fd, SIZE_LIMIT, &text, &size) < 0)
        return false;
    cleanup_free char *supervisor = find_value(text, "pid");
    cleanup_free char *started = find_value(text, "started");
    *record = (struct run_record){
        .config = find_value(text, "config"),
        .supervisor = (pid_t)strtol(supervisor, NULL, 10),
        .started = (time_t)strtoll(started, NULL, 10),
        .is_locked = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK,
    };
    return true;
}

void run_record_free(struct run_record *record)
{
    free(record->config);
    *record = (struct run_record){0};
}

bool run_file_is_mounted(const struct mount_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        cleanup_free char *other = run_file_name(&table->rows[i]);
        if (mount_row_is_view(&table->rows[i]) && strcmp(other, name) == 0)
            return true;
    }
    return false;
}

/* The process that an open run file names; 0 for none. */
static pid_t supervisor_in(int fd)
{
    cleanup_free char *text = NULL;
    size_t size;
    if (fd_read_file(fd, SIZE_LIMIT, &text, &size) < 0)
        return 0;
    cleanup_free char *supervisor = find_value(text, "pid");
    return (pid_t)strtol(supervisor, NULL, 10);
}

bool run_file_wait(const struct mount_row *row, pid_t supervisor, unsigned milliseconds)
{
    cleanup_fd int folder_fd = run_folder_open(NULL);
    cleanup_free char *name = run_file_name(row);
    cleanup_fd int fd =
        folder_fd < 0 ? -1 : openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || supervisor_in(fd) != supervisor)
        return true;
    /* flock(2) has no time limit. */
    for (unsigned waited = 0;; waited += 5) {
        if (flock(fd, LOCK_SH | LOCK_NB) == 0)
            return true;
        if (waited >= milliseconds)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

int run_file_open_log(const char *scope_name, struct error **error)
{
    cleanup_fd int runtime_fd = runtime_open(error);
    if (runtime_fd < 0)
        return -1;
    cleanup_free char *name = xasprintf(".%s.log", scope_name);
    int fd = openat(runtime_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? error_set(error, errno, "cannot open the log %s", name) : fd;
}

size_t run_file_count(void)
{
    size_t count = 0;
    cleanup_fd int fd = run_folder_open(NULL);
    DIR *files = fd < 0 ? NULL : fdopendir(fd);
    if (!files)
        return 0;
    fd_steal(&fd);
    for (const struct dirent *entry; (entry = readdir(files));)
        count += !strchr(entry->d_name, '.'); /* but for sockets and dots */
    closedir(files);
    return count;
}
