#include "daemon.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE_LIMIT = 64 * 1024 };

/* The report: one byte 'r' for ready, or 'e' and the message up to the end. */
static int await(int fd, pid_t child, struct error **error)
{
    cleanup_free char *report = NULL;
    char first = 0;
    size_t size = 0;
    int status;
    if (fd_read_all(fd, &first, 1) == 0 && first == 'r')
        return child;
    if (first == 'e' && fd_read_file(fd, MESSAGE_LIMIT, &report, &size) < 0)
        return error_set(error, errno, "lost the background process");
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (size > 0)
        return error_set(error, 0, "%s", report);
    return error_set(error, 0, "the background process died before the view was ready");
}

int daemon_start(struct daemon *daemon, struct error **error)
{
    int report[2];
    daemon->report_fd = -1;
    if (pipe2(report, O_CLOEXEC) < 0)
        return error_set(error, errno, "cannot make a pipe");
    cleanup_fd int read_end = report[0], write_end = report[1];
    pid_t child = fork();
    if (child < 0)
        return error_set(error, errno, "cannot start a background process");
    if (child > 0) {
        fd_close(&write_end);
        return await(read_end, child, error);
    }
    setsid();
    if (chdir("/") < 0)
        _exit(EXIT_FAILURE);
    daemon->report_fd = fd_steal(&write_end);
    return 0;
}

static void leave_terminal(void)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0)
        return;
    dup2(null_fd, STDIN_FILENO);
    dup2(null_fd, STDOUT_FILENO);
    dup2(null_fd, STDERR_FILENO);
    fd_close(&null_fd);
}

void daemon_ready(void *data)
{
    struct daemon *daemon = data;
    if (daemon->report_fd < 0)
        return;
    leave_terminal();
    (void)fd_write_all(daemon->report_fd, "r", 1);
    fd_close(&daemon->report_fd);
}

void daemon_failed(struct daemon *daemon, const struct error *error)
{
    if (daemon->report_fd < 0)
        return;
    (void)fd_write_all(daemon->report_fd, "e", 1);
    (void)fd_write_all(daemon->report_fd, error->message, strlen(error->message));
    fd_close(&daemon->report_fd);
}
