#include "scopefs/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Set once before threads start, constant afterwards. */
static int log_fd = STDERR_FILENO;
static enum log_level log_most = LOG_LEVEL_INFO;

void log_to(int fd, enum log_level level)
{
    log_fd = fd;
    log_most = level;
}

int log_descriptor(void)
{
    return log_fd;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (level > log_most)
        return;
    int saved = errno;
    char line[2048];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &utc);
    used += (size_t)snprintf(line + used, sizeof(line) - used,
                             ".%03ldZ %s: ", now.tv_nsec / 1000000, names[level]);

    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
    va_end(arguments);
    size_t room = sizeof(line) - used - 2;
    used += wanted < 0 ? 0 : ((size_t)wanted < room ? (size_t)wanted : room);
    line[used++] = '\n';
    /* One write per line, so that lines of different threads do not mix. */
    ssize_t written = write(log_fd, line, used);
    (void)written;
    errno = saved;
}
