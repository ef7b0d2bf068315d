/*
 * The shell inside, seen from outside: it reads lines from a pipe, and what it has come to is seen
 * at the gate (session_gate.h). Its own standard descriptors are the pipe and /dev/null; while a
 * call runs they are the caller's, which are taken away again before the call counts as finished.
 */
#ifndef SCOPEFS_EXEC_SESSION_SHELL_H
#define SCOPEFS_EXEC_SESSION_SHELL_H

#include "scopefs/error.h"
#include "session_protocol.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum session_shell_state {
    SHELL_COMES_UP,
    SHELL_IDLE,
    SHELL_CALLED, /* it was told to run a call */
    SHELL_RUNS,   /* and has the caller's descriptors */
};

struct session_shell {
    pid_t process;
    int observer; /* tells when it is at the gate */
    int script;   /* the pipe's end to write to */
    int null;
    int text_fd; /* as which it gets the text of a call */
    enum session_shell_state state;
    uint32_t sequence;
    int *fds;           /* of the present call, SESSION_DESCRIPTORS of them; borrowed */
    size_t notice_size; /* what the kernel calls struct seccomp_notif */
    size_t answer_size;
    void *notice, *answer;
};

/* Fills *shell but for the process and the observer, which are there when the sandbox is. Returns
 * what its standard input shall be, or -1 with *error set. `open_files` is its limit, or 0. */
int session_shell_prepare(struct session_shell *shell, unsigned long long open_files,
                          struct error **error);

/* Has it made ready; the state then becomes SHELL_IDLE. -1 with errno. */
int session_shell_greet(struct session_shell *shell);

/* Has it run a call. The descriptors are closed when it has them, the rest when the call is
 * finished. -1 with errno: it does not take in lines. */
int session_shell_call(struct session_shell *shell, int *fds);

/* Tells it once more how a call ends: an interrupt may have made it forget the line. */
void session_shell_remind(struct session_shell *shell);

/* Takes one notice of the observer. Returns the exit status when it finished the call (or came up),
 * or -1. */
int session_shell_attend(struct session_shell *shell);

void session_shell_free(struct session_shell *shell);

#endif
