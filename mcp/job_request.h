/* A command that the worker wants run outside of its own sandbox, in one of the command's own. */
#ifndef SCOPEFS_MCP_JOB_REQUEST_H
#define SCOPEFS_MCP_JOB_REQUEST_H

#include "scopefs/strbuf.h"

#include <stdbool.h>
#include <stddef.h>

struct job_request {
    const char *command;      /* a line for sh */
    const char *workdir;      /* relative to the workspace or below it; "": the workspace */
    const char *timeout;      /* as scopefs-exec -t has it; "": the scope's */
    const char *shell;        /* name of a shell that is kept from call to call; "": none */
    const char **environment; /* "NAME=VALUE"; NULL-terminated */
    const char *input;        /* becomes standard input */
    size_t input_size;
};

/* As bytes of a FRAME_JOB_START. */
void job_request_pack(const struct job_request *request, struct strbuf *bytes);

/* Fills *request with pointers into the bytes, which end with a NUL behind `size`. False when they
 * are no request. The caller frees request->environment. */
bool job_request_unpack(struct job_request *request, const char *bytes, size_t size);

#endif
