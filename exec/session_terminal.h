/*
 * The terminal of an interactive session, in the process that keeps it: whoever is attached has the
 * terminal himself; while nobody is, what it prints is read here, so that nothing inside waits, and
 * the last of it is kept.
 */
#ifndef SCOPEFS_EXEC_SESSION_TERMINAL_H
#define SCOPEFS_EXEC_SESSION_TERMINAL_H

#include "session_callers.h"

#include <stddef.h>

struct session_terminal {
    int master; /* -1: there is none (yet) */
    char *past; /* SESSION_PAST bytes at most */
    size_t length;
};

/* When the master can be read. */
void session_terminal_read(struct session_terminal *terminal);

/* Hands the terminal and its past to the caller. 0, or -1 with errno. */
int session_terminal_give(struct session_terminal *terminal, const struct session_caller *caller);

void session_terminal_free(struct session_terminal *terminal);

#endif
