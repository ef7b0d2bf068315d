/* The terminal of an interactive session, from the caller's side: his own is passed through to it.
 */
#ifndef SCOPEFS_EXEC_SESSION_ATTACH_H
#define SCOPEFS_EXEC_SESSION_ATTACH_H

#include "scopefs/error.h"
#include "session_call.h"

/* Stays until the session's shell ends or the caller leaves it, by the detaching key (Ctrl-\) or a
 * signal. Returns the exit status of scopefs-exec; *error is set when there is something to say. */
int session_attach(const struct session_request *request, struct error **error);

#endif
