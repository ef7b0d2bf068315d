/* The transport over standard input and output: one message a line, one client. */
#ifndef SCOPEFS_MCP_STDIO_H
#define SCOPEFS_MCP_STDIO_H

#include "host.h"

/* Serves until the client is gone, a signal asks to end, or the worker dies. At the end of the
 * input what was asked is still answered. 0, or -1 with *error set. */
int stdio_serve(struct host *host, struct error **error);

#endif
