#include "session_shell.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "session_gate.h"
#include "session_text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* What older headers do not have: Linux 5.14, and 6.6. */
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* Above what people use, below where bash keeps its own. */
#define TEXT_FD 200

/* The end of a call, for sh and bash: the caller's descriptors are let go of before he is told.
 * What the shell itself says there is nobody's output: not its trace (set -x), not its prompt. An
 * exit at the first failure (set -e) lasts for one call only; the trace is put on again by the next
 * text. */
#define FINISH                                                                                     \
    "{ " SESSION_FLAGS "=$?$-%s; \\set +xe; } 2>/dev/null; \\exec >/dev/null 2>&1; "               \
    "\\command kill -0 \"$((%u + ${" SESSION_FLAGS "%%%%[!0-9]*}))\"; PS1= PS2=\n"

/* In the line that stands by, which mostly has nothing to do, the flags of the first are kept. */
#define KEPT_FLAGS ",${" SESSION_FLAGS "%%,*}"

/* An interactive shell keeps a history, expands `!`, and looks for mail. */
#define GREETING                                                                                   \
    "PS1= PS2=; trap '\\command kill -INT $$' %d; test -z \"$BASH_VERSION\" || "                   \
    "eval 'set +H +o history; unset HISTFILE HISTSIZE HISTFILESIZE MAILCHECK'; "

/* Within the braces, standard input may be replaced: behind them it is the pipe again. */
#define CALL "{ \\command kill -0 %u; \\command . /dev/fd/%d; } </dev/null; "

static int say(const struct session_shell *shell, const char *line)
{
    ssize_t length = (ssize_t)strlen(line);
    return write(shell->script, line, (size_t)length) == length ? 0 : -1;
}

/* The numbers in the lines are those of this call. */
static int say_finish(const struct session_shell *shell, const char *before, const char *kept_flags)
{
    unsigned number = SESSION_GATE_NUMBER(SESSION_GATE_FINISHED, shell->sequence);
    cleanup_free char *finish = xasprintf(FINISH, kept_flags, number);
    cleanup_free char *line = xasprintf("%s%s", before, finish);
    return say(shell, line);
}

static int stand_by(const struct session_shell *shell)
{
    return say_finish(shell, "", KEPT_FLAGS);
}

int session_shell_prepare(struct session_shell *shell, unsigned long long open_files,
                          struct error **error)
{
    struct seccomp_notif_sizes sizes;
    int ends[2];
    *shell = (struct session_shell){.observer = -1, .script = -1, .null = -1, .text_fd = TEXT_FD};
    if (open_files && open_files <= TEXT_FD)
        shell->text_fd = (int)open_files - 1;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        return error_set(error, errno, "a session needs Linux 5.9 or newer");
    shell->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (shell->null < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return error_set(error, errno, "cannot make a pipe");
    shell->script = ends[1];
    if (fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0) {
        fd_close(&ends[0]);
        return error_set(error, errno, "cannot make a pipe");
    }
    shell->notice_size = sizeof(struct seccomp_notif);
    shell->answer_size = sizeof(struct seccomp_notif_resp);
    if (sizes.seccomp_notif > shell->notice_size)
        shell->notice_size = sizes.seccomp_notif;
    if (sizes.seccomp_notif_resp > shell->answer_size)
        shell->answer_size = sizes.seccomp_notif_resp;
    shell->notice = xcalloc(1, shell->notice_size);
    shell->answer = xcalloc(1, shell->answer_size);
    return ends[0];
}

/* Whoever waits for the other runs where that one did, which saves the way between processors.
 * Linux before 6.6 does not know it. */
static void stay_together(const struct session_shell *shell)
{
    (void)ioctl(shell->observer, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

int session_shell_greet(struct session_shell *shell)
{
    stay_together(shell);
    shell->state = SHELL_COMES_UP;
    cleanup_free char *greeting = xasprintf(GREETING, SESSION_BREAK);
    return say_finish(shell, greeting, "");
}

void session_shell_remind(struct session_shell *shell)
{
    stand_by(shell);
}

int session_shell_call(struct session_shell *shell, int *fds)
{
    unsigned number = SESSION_GATE_NUMBER(SESSION_GATE_CALLED, 0);
    cleanup_free char *start = xasprintf(CALL, number, shell->text_fd);
    shell->fds = fds;
    shell->state = SHELL_CALLED;
    shell->sequence = (shell->sequence + 1) % SESSION_GATE_SEQUENCES;
    return say_finish(shell, start, "");
}

/* --- At the gate --- */

static int answer(struct session_shell *shell, uint64_t id, int error)
{
    struct seccomp_notif_resp *response = shell->answer;
    memset(response, 0, shell->answer_size);
    response->id = id;
    response->error = -error;
    return ioctl(shell->observer, SECCOMP_IOCTL_NOTIF_SEND, response);
}

/* -1 also when a signal has taken the shell out of its wait: it comes again. With `flags`
 * SECCOMP_ADDFD_FLAG_SEND its wait is over, and it gets the number of the descriptor as a result.
 */
static int inject(const struct session_shell *shell, uint64_t id, int fd, int number,
                  unsigned flags)
{
    struct seccomp_notif_addfd request = {
        .id = id,
        .flags = SECCOMP_ADDFD_FLAG_SETFD | flags,
        .srcfd = (uint32_t)fd,
        .newfd = (uint32_t)number,
        .newfd_flags = number > STDERR_FILENO ? O_CLOEXEC : 0,
    };
    return ioctl(shell->observer, SECCOMP_IOCTL_NOTIF_ADDFD, &request) < 0 ? -1 : 0;
}

static bool is_null(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
           status.st_rdev == makedev(1, 3); /* see null(4) */
}

/* What is /dev/null is so inside already, and each step goes to the shell and back. The last one is
 * 0, which is also what the call is to result in; Linux before 5.14 takes one step more. */
static int inject_call(struct session_shell *shell, uint64_t id)
{
    const int *fds = shell->fds;
    if (inject(shell, id, fds[SESSION_TEXT], shell->text_fd, 0) < 0)
        return -1;
    for (int i = SESSION_OUTPUT; i <= SESSION_ERRORS; i++)
        if (!is_null(fds[i]) && inject(shell, id, fds[i], i - SESSION_INPUT, 0) < 0)
            return -1;
    if (is_null(fds[SESSION_INPUT]))
        return answer(shell, id, 0);
    if (inject(shell, id, fds[SESSION_INPUT], STDIN_FILENO, SECCOMP_ADDFD_FLAG_SEND) == 0)
        return 0;
    if (errno != EINVAL || inject(shell, id, fds[SESSION_INPUT], STDIN_FILENO, 0) < 0)
        return -1;
    return answer(shell, id, 0);
}

static void close_call(struct session_shell *shell)
{
    for (int i = 0; shell->fds && i < SESSION_DESCRIPTORS; i++)
        fd_close(&shell->fds[i]);
}

/* The second line that ends the call stands by for an interrupt, which takes the shell to the next
 * line. It is written when the first was read, and so not thrown away with it. */
static void give_call(struct session_shell *shell, uint64_t id)
{
    if (shell->state == SHELL_CALLED && stand_by(shell) == 0)
        shell->state = SHELL_RUNS;
    if (shell->state == SHELL_RUNS && inject_call(shell, id) == 0)
        close_call(shell);
}

static int pass_gate(struct session_shell *shell, uint64_t id, unsigned number)
{
    unsigned kind = SESSION_GATE_KIND(number);
    bool has_call = shell->fds && shell->fds[SESSION_TEXT] >= 0;
    if (kind == SESSION_GATE_CALLED && has_call) {
        give_call(shell, id);
        return -1;
    }
    /* The line that stood by, or an idle word of the agent's, changes nothing. */
    bool ends = kind == SESSION_GATE_FINISHED && shell->state != SHELL_IDLE &&
                SESSION_GATE_SEQUENCE(number) == shell->sequence;
    answer(shell, id, kind == SESSION_GATE_FINISHED ? 0 : ESRCH);
    if (!ends)
        return -1;
    close_call(shell);
    shell->fds = NULL;
    shell->state = SHELL_IDLE;
    return (int)SESSION_GATE_STATUS(number);
}

int session_shell_attend(struct session_shell *shell)
{
    struct seccomp_notif *notice = shell->notice;
    memset(notice, 0, shell->notice_size);
    if (ioctl(shell->observer, SECCOMP_IOCTL_NOTIF_RECV, notice) < 0)
        return -1;
    if ((pid_t)notice->pid == shell->process)
        return pass_gate(shell, notice->id, (unsigned)notice->data.args[0]);
    answer(shell, notice->id, ESRCH);
    return -1;
}

void session_shell_free(struct session_shell *shell)
{
    fd_close(&shell->observer);
    fd_close(&shell->script);
    fd_close(&shell->null);
    free(shell->notice);
    free(shell->answer);
    shell->notice = shell->answer = NULL;
}
