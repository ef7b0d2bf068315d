#include "orphans.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Reads the beginning of /proc/PROCESS/NAME; its length. */
static size_t read_file(const char *process, const char *name, char *text, size_t size)
{
    cleanup_free char *path = xasprintf("/proc/%s/%s", process, name);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
    text[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

/* As exec/sandbox.c has written its command line: bwrap --args NUMBER -- /proc/self/fd/... */
static bool is_of_scopefs(const char *process)
{
    static const char start[] = "bwrap\0--args", program[] = "--\0/proc/self/fd/";
    char line[256];
    size_t length = read_file(process, "cmdline", line, sizeof(line));
    if (length <= sizeof(start) || memcmp(line, start, sizeof(start)) != 0)
        return false;
    const char *number = line + sizeof(start);
    size_t used = sizeof(start) + strlen(number) + 1;
    return length > used + sizeof(program) &&
           memcmp(line + used, program, sizeof(program) - 1) == 0;
}

/* "PID (COMM) STATE PARENT": the name may hold anything, so the last parenthesis counts. */
static bool has_parent(const char *process)
{
    char text[512], name[64], state;
    int parent;
    read_file(process, "stat", text, sizeof(text));
    const char *end = strrchr(text, ')');
    if (!end || sscanf(end + 1, " %c %d", &state, &parent) != 2)
        return true;
    cleanup_free char *number = xasprintf("%d", parent);
    read_file(number, "comm", name, sizeof(name));
    return strcmp(name, "bwrap\n") == 0 || strncmp(name, "scopefs", 7) == 0;
}

static bool is_own(const char *process)
{
    struct stat found;
    cleanup_free char *path = xasprintf("/proc/%s", process);
    return geteuid() == 0 || (stat(path, &found) == 0 && found.st_uid == geteuid());
}

void orphans_end(void (*tell)(void *data, const char *process), void *data)
{
    DIR *processes = opendir("/proc");
    if (!processes)
        return;
    for (const struct dirent *entry; (entry = readdir(processes));) {
        const char *process = entry->d_name;
        if (*process < '1' || *process > '9' || !is_of_scopefs(process))
            continue;
        /* What is looked at from here on is what is signalled. */
        cleanup_fd int fd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(process, NULL, 10), 0);
        if (fd >= 0 && is_of_scopefs(process) && is_own(process) && !has_parent(process) &&
            syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0)
            tell(data, process);
    }
    closedir(processes);
}
