/*
 * How the shell of a session is given what a call needs. A running program can take over somebody
 * else's descriptors only by code that a shell does not have. But an observer of its system calls
 * may put descriptors into a process that waits in one (SECCOMP_IOCTL_NOTIF_ADDFD, Linux 5.9, see
 * seccomp_unotify(2)). The observed call is kill(2) on numbers that no process can have: those end
 * at 2^22 (PID_MAX_LIMIT). `kill -0 NUMBER` is a builtin of every shell.
 *
 * The number tells what the shell has come to: bits 0 to 7 are an exit status, 8 and 9 the kind, 10
 * to 29 count the calls. Whoever makes such a call without being the session's shell gets ESRCH, as
 * without an observer. The shell itself runs the agent's commands and may lie, about itself.
 */
#ifndef SCOPEFS_EXEC_SESSION_GATE_H
#define SCOPEFS_EXEC_SESSION_GATE_H

#include <signal.h>

#define SESSION_GATE_FIRST 0x40000000U
#define SESSION_GATE_END   0x80000000U

/* Has the shell give up the line that it runs. Interrupted, a shell does so only when the program
 * it waits for has died of the same interrupt; from a trap it interrupts itself when it waits for
 * none. This signal nobody else sends. */
#define SESSION_BREAK SIGPWR

#define SESSION_GATE_CALLED   0U /* it is about to run a call, and wants what belongs to it */
#define SESSION_GATE_FINISHED 1U /* the call is over, with that status */

#define SESSION_GATE_NUMBER(kind, sequence)                                                        \
    (SESSION_GATE_FIRST + ((unsigned)(sequence) << 10) + ((unsigned)(kind) << 8))
#define SESSION_GATE_STATUS(number)   ((number)&0xffU)
#define SESSION_GATE_KIND(number)     ((number) >> 8 & 3U)
#define SESSION_GATE_SEQUENCE(number) (((number)-SESSION_GATE_FIRST) >> 10)
#define SESSION_GATE_SEQUENCES        (1U << 20)

#endif
