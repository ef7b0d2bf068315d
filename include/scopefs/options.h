/*
 * Option tables: one table per command is the only source for its parser and its help text.
 * Short options may be bundled as getopt has them (-cFILE, -c FILE), long ones take --name=VALUE or
 * --name VALUE. Parsing stops at the first operand when the table says so, and always at "--".
 */
#ifndef SCOPEFS_OPTIONS_H
#define SCOPEFS_OPTIONS_H

#include "scopefs/error.h"

#include <stdbool.h>
#include <stdio.h>

struct option_row {
    const char *name;     /* long name without the dashes; NULL ends the table */
    char letter;          /* short name, or 0 */
    const char *argument; /* what --help calls its argument, or NULL when it takes none */
    const char *help;     /* one line for --help and the manual */
};

struct command {
    const char *name;     /* "scopefs mount" */
    const char *synopsis; /* operands and options as in a manual, without the name */
    const char *purpose;  /* one sentence */
    const struct option_row *options;
    bool stop_at_operand; /* the rest of the line belongs to another program */
};

/* Called once for each option, in order; `argument` points into argv. -1 with *error set refuses.
 */
typedef int option_handler(void *context, const struct option_row *row, const char *argument,
                           struct error **error);

/* Handles the options of argv[1..]; operands are moved to the front of argv behind argv[0] in their
 * order. Returns their number, or -1 with *error set (a usage error: exit status 2). */
int options_parse(const struct command *command, int argc, char **argv, option_handler *handle,
                  void *context, struct error **error);

void options_print_help(const struct command *command, FILE *stream);

#endif
