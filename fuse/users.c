#include "users.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAMED_AT_MOST = 8 };

static bool leads_below(int folder_fd, const char *link, const char *point)
{
    char target[PATH_MAX];
    size_t length = strlen(point);
    ssize_t got = readlinkat(folder_fd, link, target, sizeof(target) - 1);
    if (got < 0)
        return false;
    target[got] = '\0';
    return strncmp(target, point, length) == 0 && (target[length] == '/' || target[length] == '\0');
}

static bool has_open_file(int process_fd, const char *point)
{
    int fd = openat(process_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = fd < 0 ? NULL : fdopendir(fd);
    if (!files) {
        fd_close(&fd);
        return false;
    }
    bool found = false;
    for (const struct dirent *entry; !found && (entry = readdir(files));)
        found = leads_below(dirfd(files), entry->d_name, point);
    closedir(files);
    return found;
}

static void add_name(int process_fd, const char *process, struct strbuf *text)
{
    cleanup_fd int fd = openat(process_fd, "comm", O_RDONLY | O_CLOEXEC);
    char name[64] = "";
    ssize_t length = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);
    if (length > 0)
        name[length - 1] = '\0';
    strbuf_add_text(text, text->length ? ", " : "");
    strbuf_add_quoted(text, name, strlen(name));
    strbuf_add_format(text, " (%s)", process);
}

/* The view's own processes hold the directory that it covers. */
static bool is_scopefs(int process_fd)
{
    char own[PATH_MAX], other[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", own, sizeof(own));
    return length > 0 && readlinkat(process_fd, "exe", other, sizeof(other)) == length &&
           memcmp(own, other, (size_t)length) == 0;
}

static bool uses(int process_fd, const char *point)
{
    if (is_scopefs(process_fd))
        return leads_below(process_fd, "cwd", point);
    return leads_below(process_fd, "cwd", point) || leads_below(process_fd, "root", point) ||
           leads_below(process_fd, "exe", point) || has_open_file(process_fd, point);
}

void users_of_mount(const char *point, struct strbuf *text)
{
    DIR *processes = opendir("/proc");
    unsigned found = 0;
    if (!processes)
        return;
    for (const struct dirent *entry; (entry = readdir(processes));) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        cleanup_fd int fd =
            openat(dirfd(processes), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || !uses(fd, point))
            continue;
        if (found++ < NAMED_AT_MOST)
            add_name(fd, entry->d_name, text);
    }
    closedir(processes);
    if (found > NAMED_AT_MOST)
        strbuf_add_format(text, " and %u more", found - NAMED_AT_MOST);
}

void users_add_process(pid_t process, struct strbuf *text)
{
    cleanup_free char *name = xasprintf("%d", (int)process), *path = xasprintf("/proc/%s", name);
    cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        add_name(fd, name, text);
}
