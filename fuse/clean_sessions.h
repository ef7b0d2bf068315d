/* What sessions of scopefs-exec leave behind when their processes are killed. */
#ifndef SCOPEFS_FUSE_CLEAN_SESSIONS_H
#define SCOPEFS_FUSE_CLEAN_SESSIONS_H

/* Removes sockets RUNTIME/.sessions/SCOPE@NAME at which nobody listens, and what dead processes
 * have written of their sandboxes. `tell` is called with the name of each session. */
void clean_sessions(int runtime_fd, void (*tell)(void *data, const char *name), void *data);

#endif
