/* What the benchmark's stopwatch can measure. Each function does its work once, from start to end;
 * a failure ends the program with a message, since half a run must not pass for a fast one. */
#ifndef SCOPEFS_BENCH_MEASURE_H
#define SCOPEFS_BENCH_MEASURE_H

#include <stdnoreturn.h>

/* Ends the program; `what` is followed by the message of errno. */
noreturn void measure_fail(const char *what);

/* A positive number from the command line. */
unsigned measure_number(const char *text);

/* All take the rest of the command line, which ends with NULL. */
void loop_prepare(char **arguments); /* DIR COUNT: reads the names, outside the time */
void loop_stat(char **arguments);
void loop_open(char **arguments);
void loop_readlink(char **arguments);
void loop_absent(char **arguments);
void loop_exec(char **arguments);

void run_command(char **arguments); /* COMMAND ARG...: its output is thrown away */
void read_mapped(char **arguments); /* FILE */
void walk_tree(char **arguments);   /* WALKERS DIR: each process asks for all attributes in DIR */

#endif
