/*
 * Lends the caller's terminal to a call of a session. A job that stays in the background keeps the
 * descriptors that it got; with the terminal itself it could go on reading what its owner types,
 * and print there what it likes. So a terminal of the call's own stands in its place, which can be
 * taken back.
 */
#ifndef SCOPEFS_EXEC_TERMINAL_LOAN_H
#define SCOPEFS_EXEC_TERMINAL_LOAN_H

#include "scopefs/error.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct terminal_loan {
    int master, slave;    /* -1: no terminal was to be lent */
    int keys, screen;     /* the owner's; keys -1: none is read; borrowed */
    struct termios saved; /* of the owner's */
    bool is_raw;          /* the owner's: what keys mean is decided in the call's */
    char pending[4096];   /* typed, and not passed on yet */
    size_t pending_size;
};

#define TERMINAL_LOAN_NONE                                                                         \
    {                                                                                              \
        .master = -1, .slave = -1, .keys = -1                                                      \
    }

/* Puts another terminal in the place of those among the three descriptors, of standard input,
 * output and error, that are one. 0, or -1 with *error set. */
int terminal_loan_open(struct terminal_loan *loan, int streams[3], struct error **error);

/* What to poll for, and for how long at most, in milliseconds or -1. */
int terminal_loan_want(const struct terminal_loan *loan, struct pollfd wanted[2]);

void terminal_loan_serve(struct terminal_loan *loan, const struct pollfd ready[2]);

/* Passes on what was printed last, and takes the terminal back. */
void terminal_loan_close(struct terminal_loan *loan);

#endif
