#include "keeper.h"

#include "process.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/mount_table.h"
#include "scopefs/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_mounted(const char *path)
{
    cleanup_mount_table struct mount_table table = {0};
    return mount_table_read(&table, NULL) == 0 && mount_row_is_view(mount_table_at(&table, path));
}

/* Who still uses a view whose owner is gone is about to end as well: another command of a server
 * that was killed. */
static int take_away(const char *path, struct error **error)
{
    cleanup_free char *program = runtime_program("scopefs");
    const char *arguments[] = {program, "umount", "--", path, NULL};
    const char *at_once[] = {program, "umount", "--lazy", "--", path, NULL};
    if (is_mounted(path)) {
        int status = process_run(arguments, STDERR_FILENO, -1, error);
        if (status > 0 && is_mounted(path))
            status = process_run(at_once, STDERR_FILENO, -1, error);
        if (status < 0)
            return -1;
        /* Whoever else has unmounted it in the meantime did what was wanted. */
        if (status > 0 && is_mounted(path))
            return error_set(error, 0, "%s could not be unmounted; try: scopefs umount --lazy %s",
                             path, path);
    }
    return rmdir(path) == 0 ? 0 : error_set(error, errno, "cannot remove %s", path);
}

/* It must not be met by what ends its owner, nor keep open what the owner has: its input and
 * output, or the lifeline of another keeper. */
static void detach(int lifeline)
{
    int null_fd;
    setsid();
    if (lifeline > 3)
        close_range(3, (unsigned)lifeline - 1, 0);
    close_range((unsigned)lifeline + 1, ~0U, 0);
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd >= 0) {
        dup2(null_fd, STDIN_FILENO);
        dup2(null_fd, STDOUT_FILENO);
        close(null_fd);
    }
}

static _Noreturn void keep(const char *path, int lifeline)
{
    cleanup_error struct error *error = NULL;
    char nothing;
    detach(lifeline);
    while (read(lifeline, &nothing, 1) < 0 && errno == EINTR)
        ;
    if (take_away(path, &error) == 0)
        _exit(0);
    fprintf(stderr, "scopefs-exec: %s\n", error->message);
    _exit(1);
}

int keeper_start(struct keeper *keeper, const char *path, struct error **error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(error, errno, "cannot make a pipe");
    keeper->process = fork();
    if (keeper->process == 0) {
        close(ends[1]);
        keep(path, ends[0]);
    }
    close(ends[0]);
    keeper->lifeline = ends[1];
    if (keeper->process > 0)
        return 0;
    fd_close(&keeper->lifeline);
    return error_set(error, errno, "cannot start a process");
}

int keeper_finish(struct keeper *keeper, struct error **error)
{
    int status;
    fd_close(&keeper->lifeline);
    while (waitpid(keeper->process, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(error, errno, "the view was left mounted");
    *keeper = (struct keeper){0};
    return status == 0 ? 0 : error_set(error, 0, "the view was left mounted");
}
