/* Which processes use a mount: for the message that says why it cannot be unmounted. */
#ifndef SCOPEFS_FUSE_USERS_H
#define SCOPEFS_FUSE_USERS_H

#include "scopefs/strbuf.h"

#include <sys/types.h>

/* Adds "name (pid), name (pid)" of the processes that have their working directory, root, program
 * or an open file at or below the path, as far as the caller may see. Adds nothing when there is
 * none. */
void users_of_mount(const char *point, struct strbuf *text);

/* Adds the one process to such a list, unless it is gone. */
void users_add_process(pid_t process, struct strbuf *text);

#endif
