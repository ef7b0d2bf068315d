/*
 * Whether a command may run by the scope's rules over command lines; somebody is asked where they
 * say so. The approver, a program, gets one JSON object on its standard input,
 *     {"scope": "NAME", "command": ["WORD", ...], "rule": "PATTERN", "place": "FILE:LINE"}
 * and answers with its exit status: 0 to allow, 1 to refuse; anything else refuses as an error.
 */
#ifndef SCOPEFS_EXEC_APPROVAL_H
#define SCOPEFS_EXEC_APPROVAL_H

#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>

/* 0 when the command may run, or -1 with *error set. `yes` stands in place of the terminal's
 * answer.
 */
int approval_get(const struct scope *scope, char *const *command, bool yes, struct error **error);

#endif
