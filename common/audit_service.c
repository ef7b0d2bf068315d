#include "scopefs/audit_service.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name, *path;
} services[AUDIT_SERVICES] = {
    [AUDIT_SYSLOG] = {"syslog", "/dev/log"},
    [AUDIT_JOURNAL] = {"the journal", "/run/systemd/journal/socket"},
};

static int connect_to(enum audit_service service)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, services[service].path, sizeof(address.sun_path) - 1);
    cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    return fd_steal(&fd);
}

int audit_service_probe(enum audit_service service, struct error **error)
{
    cleanup_fd int fd = connect_to(service);
    if (fd >= 0)
        return 0;
    return error_set(error, errno,
                     "nothing would be recorded: %s cannot be reached at %s; start it, or record "
                     "to a file: log-to = file",
                     services[service].name, services[service].path);
}

/* What syslog(3) sends, whose socket would block: the same in front of JSON. */
static void add_syslog_line(const struct audit_line *line, struct strbuf *text)
{
    char date[32];
    struct tm local;
    time_t now = time(NULL);
    localtime_r(&now, &local);
    strftime(date, sizeof(date), "%h %e %T", &local);
    strbuf_add_format(text,
                      "<%d>%s scopefs[%ld]: ", LOG_AUTHPRIV | (line->error ? LOG_NOTICE : LOG_INFO),
                      date, (long)getpid());
    audit_line_write(line, text);
    text->bytes[--text->length] = '\0';
}

static int send_once(enum audit_service service, int *fd, const struct strbuf *text)
{
    if (*fd < 0)
        *fd = connect_to(service);
    if (*fd < 0)
        return -1;
    return send(*fd, text->bytes, text->length, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int audit_service_send(enum audit_service service, int *fd, const struct audit_line *line)
{
    cleanup_strbuf struct strbuf text = {0};
    bool was_connected = *fd >= 0;
    if (service == AUDIT_SYSLOG)
        add_syslog_line(line, &text);
    else
        audit_line_add_fields(line, &text);
    int result = send_once(service, fd, &text);
    if (result < 0 && errno != EAGAIN) {
        fd_close(fd);
        result = was_connected ? send_once(service, fd, &text) : -1;
    }
    return result;
}
