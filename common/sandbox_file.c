#include "scopefs/sandbox_file.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"
#include "scopefs/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER     ".sandboxes"
#define SIZE_LIMIT 4096

static int open_folder(struct error **error)
{
    cleanup_fd int runtime = runtime_open(error);
    if (runtime < 0)
        return -1;
    if (mkdirat(runtime, FOLDER, 0700) < 0 && errno != EEXIST)
        return error_set(error, errno, "cannot create the folder of sandboxes");
    int fd = openat(runtime, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? error_set(error, errno, "cannot open the folder of sandboxes") : fd;
}

int sandbox_file_create(const struct sandbox_record *record, struct error **error)
{
    cleanup_strbuf struct strbuf text = {0};
    cleanup_fd int folder = open_folder(error);
    char hidden[16];
    if (folder < 0)
        return -1;
    snprintf(hidden, sizeof(hidden), ".%d", getpid());
    strbuf_add_format(&text, "scope = %s\nview = %u:%u\nstarted = %lld\nsession = %s\n",
                      record->scope, record->view_major, record->view_minor, (long long)time(NULL),
                      record->session);
    /* It gets its name when it has its lock. What is there belonged to a process that is dead. */
    unlinkat(folder, hidden, 0);
    cleanup_fd int fd = openat(folder, hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ||
        fd_write_all(fd, text.bytes, text.length) < 0 ||
        renameat(folder, hidden, folder, hidden + 1) < 0)
        return error_set(error, errno, "cannot write the file of a sandbox");
    return fd_steal(&fd);
}

void sandbox_file_remove(int *fd)
{
    cleanup_fd int folder = *fd < 0 ? -1 : open_folder(NULL);
    char name[16];
    snprintf(name, sizeof(name), "%d", getpid());
    if (folder >= 0)
        unlinkat(folder, name, 0);
    fd_close(fd);
}

static bool read_record(int fd, pid_t process, struct sandbox_record *record)
{
    cleanup_free char *text = NULL;
    size_t size;
    if (fd_read_file(fd, SIZE_LIMIT, &text, &size) < 0)
        return false;
    *record = (struct sandbox_record){.process = process};
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (strncmp(line, "scope = ", 8) == 0 && !record->scope)
            record->scope = xstrdup(line + 8);
        else if (strncmp(line, "session = ", 10) == 0 && !record->session)
            record->session = xstrdup(line + 10);
        else if (strncmp(line, "started = ", 10) == 0)
            record->started = (time_t)strtoll(line + 10, NULL, 10);
        else
            (void)sscanf(line, "view = %u:%u", &record->view_major, &record->view_minor);
    }
    record->scope = record->scope ? record->scope : xstrdup("");
    record->session = record->session ? record->session : xstrdup("");
    return true;
}

static void add_record(struct sandbox_list *list, int folder, const char *name)
{
    char *end;
    long process = strtol(name, &end, 10);
    if (*end || process <= 0)
        return;
    cleanup_fd int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
        unlinkat(folder, name, 0);
        return;
    }
    list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
    if (errno == EWOULDBLOCK && read_record(fd, (pid_t)process, &list->items[list->count]))
        list->count++;
}

int sandbox_list_read(struct sandbox_list *list, struct error **error)
{
    cleanup_free char *runtime = runtime_path();
    cleanup_free char *path = xasprintf("%s/" FOLDER, runtime);
    DIR *folder = opendir(path);
    if (!folder)
        return errno == ENOENT ? 0 : error_set(error, errno, "cannot list %s", path);
    for (const struct dirent *entry; (entry = readdir(folder));)
        add_record(list, dirfd(folder), entry->d_name);
    closedir(folder);
    return 0;
}

void sandbox_list_free(struct sandbox_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].scope);
        free(list->items[i].session);
    }
    free(list->items);
    *list = (struct sandbox_list){0};
}
