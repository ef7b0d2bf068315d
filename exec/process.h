/* Running other programs, and ending everything that descends from this one. */
#ifndef SCOPEFS_EXEC_PROCESS_H
#define SCOPEFS_EXEC_PROCESS_H

#include "scopefs/error.h"

#include <stddef.h>
#include <sys/types.h>

/* The path of a program by PATH, or in the usual folders; the caller frees it. What lies in
 * `source` is passed over: it is an agent's, who must not choose what runs outside. NULL when there
 * is none.
 */
char *process_find_program(const char *name, const char *source);

/* The same in the usual folders alone. */
char *process_find_system_program(const char *name);

/* The path of a program of this project that only other ones run: beside the running one (an
 * uninstalled build), else where it is installed. The caller frees it. */
char *process_own_program(const char *name);

/* In a child, before it executes another program: a process group of its own, so that a terminal's
 * signals do not reach it, and no blocked signals. */
void process_prepare_child(void);

/* Runs a program (arguments[0] is its path) with no input to its end. What it prints on standard
 * output is dropped; what it prints on standard error goes to `stderr_fd`. When `interrupt_fd`
 * (or -1) can be read, which is left to the caller, the program is ended by SIGTERM. Returns its
 * exit status, 128+n for signal n, or -1 with *error set when it could not be started. */
int process_run(const char *const *arguments, int stderr_fd, int interrupt_fd,
                struct error **error);

/* As a shell has it: 128+n for signal n. */
int process_exit_status(int wait_status);

/* Sends the signal to all that descend from process `ancestor`, not to itself. */
void process_signal_descendants(pid_t ancestor, int signal_number);

struct process_set {
    pid_t *items;
    size_t count;
};

/* The children that this process has now, for process_end_children. */
void process_list_children(struct process_set *children);

/* The children that another process has now; it may have more than one thread, whose children are
 * not meant. */
void process_list_children_of(pid_t parent, struct process_set *children);

/* Sends the signal to all that descend from `ancestor` by none of the processes in `spared` and
 * were not in `signalled` yet, to which they are added. */
void process_signal_new(pid_t ancestor, const struct process_set *spared,
                        struct process_set *signalled, int signal_number);

/* For a subreaper: kills and reaps its children until there are none left but those of `spared`:
 * a program keeps the children that it had before it was executed in a shell's place. */
void process_end_children(const struct process_set *spared);

void process_set_free(struct process_set *set);

#endif
