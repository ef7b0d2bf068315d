/* scopefs-stage2 where a session begins: it becomes a shell whose calls of the gate are observed.
 */
#ifndef SCOPEFS_EXEC_STAGE2_SESSION_H
#define SCOPEFS_EXEC_STAGE2_SESSION_H

/* Has the calling process observed at the gate (session_gate.h). Returns the observer's descriptor,
 * or -1 with errno. */
int stage2_session_observe(void);

/* Makes a terminal of the sandbox's own that controls the calling process, which leads a session,
 * and is its standard input, output and error. Returns the side to work it from, or -1 with errno.
 */
int stage2_session_open_terminal(void);

/* Sends STAGE2_READY with that descriptor. 0, or -1 with errno. */
int stage2_session_report(int channel, int fd);

/* Becomes an interactive shell that reads commands from standard input: only such a shell gets back
 * to its next line when a command is interrupted. bash where there is one, for it can do more.
 * Returns only when there is no shell, with the exit status. */
int stage2_session_become_shell(void);

/* Becomes the shell of a terminal. */
int stage2_session_become_terminal_shell(void);

#endif
