#include "view_life.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long a process may take to end after the other one. */
enum { END_MS = 10000, SIZE_LIMIT = 64 * 1024 };

/* linux/sched.h: the process is on its way out */
enum { EXITING = 0x4 };

/* The caller frees it; NULL when the process is gone. */
static char *read_about(pid_t process, const char *what)
{
    char *text;
    size_t size;
    cleanup_free char *path = xasprintf("/proc/%ld/%s", (long)process, what);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 || fd_read_file(fd, SIZE_LIMIT, &text, &size) < 0 ? NULL : text;
}

/* kill(2) returns before who was killed has ended; see proc_pid_stat(5) for the fields. */
static bool is_ending(pid_t process)
{
    cleanup_free char *stat = read_about(process, "stat");
    cleanup_free char *status = read_about(process, "status");
    const char *fields = stat ? strrchr(stat, ')') : NULL;
    const char *pending = status ? strstr(status, "\nSigPnd:") : NULL;
    char state;
    unsigned flags;
    if (!fields || !pending || sscanf(fields, ") %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
        return true;
    uint64_t signals = strtoull(pending + strlen("\nSigPnd:"), NULL, 16);
    return strchr("ZXx", state) || (flags & EXITING) || (signals & (1u << (SIGKILL - 1)));
}

/* Its only child is its server. */
static bool has_server(pid_t supervisor)
{
    cleanup_free char *what = xasprintf("task/%ld/children", (long)supervisor);
    cleanup_free char *children = read_about(supervisor, what);
    if (!children) /* no kernel has to tell */
        return true;
    char *at = children, *next;
    for (pid_t child; (child = (pid_t)strtol(at, &next, 10)) > 0 && next != at; at = next)
        if (!is_ending(child))
            return true;
    return false;
}

static bool is_mounted(const struct roster_view *view)
{
    cleanup_mount_table struct mount_table table = {0};
    cleanup_free char *name = run_file_name(view->row);
    return mount_table_read(&table, NULL) < 0 || run_file_is_mounted(&table, name);
}

/* Its supervisor does not live: the server ends when it notices. */
static enum view_life without_supervisor(const struct roster_view *view)
{
    for (unsigned waited = 0;; waited += 5) {
        if (!is_mounted(view))
            return VIEW_IS_GONE;
        if (roster_view_answers_nothing(view))
            return VIEW_IS_DEAD;
        if (!view->has_record || waited >= END_MS)
            return VIEW_LIVES;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

enum view_life view_life(const struct roster_view *view)
{
    pid_t supervisor = view->has_record && view->record.is_locked ? view->record.supervisor : 0;
    if (supervisor && !is_ending(supervisor) && has_server(supervisor))
        return VIEW_LIVES;
    if (supervisor && !run_file_wait(view->row, supervisor, END_MS))
        return VIEW_LIVES;
    return without_supervisor(view);
}
