/* scopefs-exec session list and close. */
#ifndef SCOPEFS_EXEC_SESSION_COMMAND_H
#define SCOPEFS_EXEC_SESSION_COMMAND_H

#include "scopefs/error.h"

/* argv[0] is "list" or "close", what follows its options and operands; argv ends with NULL. Returns
 * the exit status, with *error set when it is not 0. */
int session_command(char **argv, struct error **error);

#endif
