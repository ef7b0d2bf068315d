#include "access_report.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 2, BYTES_LIMIT = 4 * 1024 * 1024, ITEM_LIMIT = 256 };

/* --- The conversation: see the control socket and its feeds in fuse/ --- */

static int connect_to(const struct view_mount *view)
{
    cleanup_free char *runtime = runtime_path();
    cleanup_free char *folder = xasprintf("%s/.run", runtime);
    cleanup_fd int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    /* By the folder's descriptor, because sun_path is short. */
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%u:%u.sock", folder_fd,
             view->device_major, view->device_minor);
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (folder_fd < 0 || fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    return fd_steal(&fd);
}

void access_report_open(struct access_report *report, const struct view_mount *view)
{
    char answer[3];
    cleanup_fd int fd = connect_to(view);
    *report = (struct access_report){.fd = -1};
    if (fd >= 0 && fd_write_all(fd, "follow\n", 7) == 0 && fd_read_all(fd, answer, 3) == 0 &&
        memcmp(answer, "ok\n", 3) == 0)
        report->fd = fd_steal(&fd);
}

static void read_with(struct access_report *report, int flags)
{
    char chunk[16384];
    ssize_t size = recv(report->fd, chunk, sizeof(chunk), flags);
    if (size < 0 && errno == EINTR)
        return;
    if (size < 0 && errno == EAGAIN && (flags & MSG_DONTWAIT))
        return;
    if (size <= 0)
        fd_close(&report->fd);
    else if (report->bytes.length < BYTES_LIMIT)
        strbuf_add(&report->bytes, chunk, (size_t)size);
    else
        report->lost++;
}

void access_report_read(struct access_report *report)
{
    read_with(report, MSG_DONTWAIT);
}

/* --- What came --- */

static bool is_same(const struct audit_line *one, const struct audit_line *other)
{
    return strcmp(one->path, other->path) == 0 && strcmp(one->operation, other->operation) == 0 &&
           strcmp(one->decider, other->decider) == 0 && strcmp(one->error, other->error) == 0;
}

/* Takes the line over. */
static void add_item(struct access_report *report, struct audit_line *line)
{
    bool is_kept = false;
    report->lost += line->dropped;
    for (size_t i = 0; i < report->count && !is_kept; i++)
        if ((is_kept = is_same(&report->items[i], line)))
            report->items[i].repeats++;
    if (!is_kept && report->count < ITEM_LIMIT) {
        report->items = xreallocarray(report->items, report->count + 1, sizeof(*report->items));
        report->items[report->count++] = *line;
        return;
    }
    report->lost += !is_kept;
    audit_line_free(line);
}

static void take_line(struct access_report *report, char *text)
{
    struct audit_line line;
    char *json;
    unsigned long space = strtoul(text, &json, 10);
    if (strcmp(text, ".") == 0) {
        report->is_known = true;
    } else if (*json == ' ' && (space == 0 || space == report->pid_namespace) &&
               audit_line_parse(json + 1, &line)) {
        if (line.error)
            add_item(report, &line);
        else
            audit_line_free(&line);
    }
}

void access_report_finish(struct access_report *report)
{
    if (report->fd >= 0 && send(report->fd, "end\n", 4, MSG_NOSIGNAL) != 4)
        fd_close(&report->fd);
    while (report->fd >= 0)
        read_with(report, 0);
    char *rest = report->bytes.bytes;
    for (char *line; rest && (line = strsep(&rest, "\n"));)
        take_line(report, line);
    strbuf_free(&report->bytes);
}

void access_report_free(struct access_report *report)
{
    fd_close(&report->fd);
    strbuf_free(&report->bytes);
    for (size_t i = 0; i < report->count; i++)
        audit_line_free(&report->items[i]);
    free(report->items);
    *report = (struct access_report){.fd = -1};
}
