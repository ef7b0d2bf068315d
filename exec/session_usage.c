#include "session_usage.h"

#include "scopefs/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Fields 14 to 17 of /proc/PID/stat, in clock ticks; see proc_pid_stat(5). */
static unsigned long long processor_us(pid_t process)
{
    char path[64], text[1024];
    unsigned long long own_user, own_system, user, system;
    snprintf(path, sizeof(path), "/proc/%d/stat", process);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    long ticks = sysconf(_SC_CLK_TCK);
    if (length <= 0 || ticks <= 0)
        return 0;
    text[length] = '\0';
    const char *behind_name = strrchr(text, ')');
    if (!behind_name ||
        sscanf(behind_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
               &own_user, &own_system, &user, &system) != 4)
        return 0;
    return (own_user + own_system + user + system) * 1000000U / (unsigned long long)ticks;
}

void session_usage_read(struct session_usage *usage, const struct session_sandbox *session)
{
    cgroup_read(&session->cgroup, &usage->group);
    if (!usage->group.cpu_us && session->is_running)
        usage->group.cpu_us = processor_us(session->shell.process);
}

static uint64_t difference(unsigned long long before, unsigned long long now)
{
    return now > before ? now - before : 0;
}

void session_usage_since(struct session_result *result, const struct session_usage *before,
                         const struct session_usage *now)
{
    result->cpu_us = difference(before->group.cpu_us, now->group.cpu_us);
    result->out_of_memory = difference(before->group.out_of_memory, now->group.out_of_memory);
    result->peak_memory = now->group.peak_memory;
}
