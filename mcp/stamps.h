/* What a session remembers of the files that its client has seen, so that no edit is made by what
 * is no longer there. */
#ifndef SCOPEFS_MCP_STAMPS_H
#define SCOPEFS_MCP_STAMPS_H

#include "session.h"

#include <sys/stat.h>

/* The client has seen the file as it is now. Takes the server's lock. */
void stamps_set(struct session *session, const char *path, const struct stat *status);

/* False when the client has seen the file and it has changed since. Takes the server's lock. */
bool stamps_fit(struct session *session, const char *path, const struct stat *status);

void stamps_forget(struct session *session, const char *path);

void stamps_free(struct stamp *first);

#endif
