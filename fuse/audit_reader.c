#include "audit_reader.h"

#include "scopefs/audit_file.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
    const char *scope;
    audit_visitor *visit;
    void *data;
    int folder_fd, notify_fd;
};

static FILE *open_file(const struct reading *reading, unsigned generation)
{
    cleanup_free char *name = audit_file_name(reading->scope, generation);
    cleanup_fd int fd = openat(reading->folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");
    if (stream)
        fd_steal(&fd);
    return stream;
}

/* A line that is only half there yet is left for the next time. */
static void read_lines(const struct reading *reading, FILE *stream)
{
    cleanup_free char *text = NULL;
    size_t room = 0;
    clearerr(stream);
    for (;;) {
        off_t start = ftello(stream);
        ssize_t length = getline(&text, &room, stream);
        if (length <= 0)
            return;
        if (text[length - 1] != '\n') {
            fseeko(stream, start, SEEK_SET);
            return;
        }
        struct audit_line line;
        if (!audit_line_parse(text, &line))
            continue;
        reading->visit(reading->data, &line);
        audit_line_free(&line);
    }
}

/* Waits until something happens in the folder. */
static int await_change(const struct reading *reading, struct error **error)
{
    char events[16 * 1024];
    fflush(stdout);
    if (read(reading->notify_fd, events, sizeof(events)) < 0 && errno != EINTR)
        return error_set(error, errno, "cannot follow the audit file");
    return 0;
}

/* Whether the file that is written now is another one than the open one. */
static bool was_renamed(const struct reading *reading, FILE *stream)
{
    struct stat own, now;
    cleanup_free char *name = audit_file_name(reading->scope, 0);
    return fstat(fileno(stream), &own) == 0 &&
           fstatat(reading->folder_fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           own.st_ino != now.st_ino;
}

static int follow_file(const struct reading *reading, FILE *stream, struct error **error)
{
    for (;;) {
        bool renamed = stream && was_renamed(reading, stream);
        if (stream)
            read_lines(reading, stream);
        if (renamed) {
            fclose(stream);
            stream = NULL;
        }
        bool was_there = stream != NULL;
        if (!stream)
            stream = open_file(reading, 0);
        if (stream && !was_there)
            continue;
        if (await_change(reading, error) < 0) {
            if (stream)
                fclose(stream);
            return -1;
        }
    }
}

static int start_notices(struct reading *reading, struct error **error)
{
    cleanup_free char *folder = xasprintf("/proc/self/fd/%d", reading->folder_fd);
    reading->notify_fd = inotify_init1(IN_CLOEXEC);
    if (reading->notify_fd < 0 ||
        inotify_add_watch(reading->notify_fd, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
        return error_set(error, errno, "cannot watch the runtime folder");
    return 0;
}

int audit_read(const char *scope, bool follow, audit_visitor *visit, void *data,
               struct error **error)
{
    if (strchr(scope, '/'))
        return error_set(error, 0, "'%s' cannot be a scope's name", scope);
    cleanup_fd int folder_fd = runtime_open(error);
    if (folder_fd < 0)
        return -1;
    struct reading reading = {
        .scope = scope, .visit = visit, .data = data, .folder_fd = folder_fd, .notify_fd = -1};
    if (follow && start_notices(&reading, error) < 0) {
        fd_close(&reading.notify_fd);
        return -1;
    }
    FILE *stream = NULL;
    for (unsigned generation = AUDIT_GENERATIONS; generation-- > 0;) {
        FILE *next = open_file(&reading, generation);
        if (!next)
            continue;
        if (stream)
            fclose(stream);
        stream = next;
        read_lines(&reading, stream);
    }
    int result = 0;
    if (follow)
        result = follow_file(&reading, stream, error);
    else if (!stream)
        result = error_set(error, 0,
                           "nothing was recorded of a scope '%s' of yours in a file (log-to in its "
                           "configuration says whether there is to be one)",
                           scope);
    else
        fclose(stream);
    fd_close(&reading.notify_fd);
    return result;
}
