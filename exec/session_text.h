/* What the shell of a session reads for one call. Pure. */
#ifndef SCOPEFS_EXEC_SESSION_TEXT_H
#define SCOPEFS_EXEC_SESSION_TEXT_H

#include "plan.h"
#include "scopefs/error.h"
#include "scopefs/strbuf.h"

/* The variable in which a session's shell keeps the status and the flags of the last call. */
#define SESSION_FLAGS "_scopefs"

/* Appends shell text that sets the request's variables, enters its working directory when it names
 * one, and runs `line`, or the words of its command when that is NULL. What it sets stays in the
 * session. 0, or -1 with *error set: a request that cannot be met. */
int session_text_add(struct strbuf *text, const struct sandbox_request *request, const char *line,
                     struct error **error);

#endif
