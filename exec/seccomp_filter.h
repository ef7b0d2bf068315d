/*
 * The system calls that a command may make. Known ones are allowed unless a table here refuses
 * them; those newer than the table do not exist (ENOSYS), so that programs use what they used
 * before. The table is a second wall: namespaces and missing capabilities already refuse most of
 * it, but each refused call is kernel code that an agent cannot try.
 */
#ifndef SCOPEFS_EXEC_SECCOMP_FILTER_H
#define SCOPEFS_EXEC_SECCOMP_FILTER_H

#include "scopefs/error.h"
#include "scopefs/strbuf.h"

#include <stdbool.h>

/* Appends the filter, an array of struct sock_filter for seccomp(2); with tracing, debuggers work.
 * 0, or -1 with *error set. */
int seccomp_filter_make(struct strbuf *program, bool with_tracing, struct error **error);

#endif
