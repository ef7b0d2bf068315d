/* Starts the process that keeps a session, where there is none. */
#ifndef SCOPEFS_EXEC_SESSION_START_H
#define SCOPEFS_EXEC_SESSION_START_H

#include "scopefs/config.h"
#include "scopefs/error.h"
#include "session_folder.h"

#include <stdbool.h>

/* The word of the command line behind which such a process finds what it is to keep. */
#define SESSION_SERVE "serve"

/* Connects to the session, which is started if need be. `config_file` is absolute. Returns the
 * socket, or -1 with *error set. `view` is what --view says, or NULL; a new
 * session is interactive with `is_terminal`. */
int session_reach(int folder, const struct session_name *session, const struct scope *scope,
                  const char *config_file, const char *view, bool is_terminal,
                  struct error **error);

#endif
