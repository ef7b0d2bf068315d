/* One call of a session, from the caller's side. */
#ifndef SCOPEFS_EXEC_SESSION_CALL_H
#define SCOPEFS_EXEC_SESSION_CALL_H

#include "invocation.h"
#include "result.h"
#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdint.h>

struct session_request {
    const char *config_file;
    uint64_t config_digest;
    const struct scope *scope;
    const struct invocation *invocation;
    int input;            /* the command's standard input; -1: the caller's */
    bool capture;         /* what it prints goes to result->sandbox */
    size_t capture_limit; /* bytes of each stream that are kept */
};

/* Makes the call and waits for its end. Returns the exit status of scopefs-exec; *error is set when
 * there is something to say. */
int session_call(const struct session_request *request, struct result *result,
                 struct error **error);

#endif
