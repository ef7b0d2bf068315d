/*
 * Where sessions are found: a socket RUNTIME/.sessions/SCOPE@NAME each, in a folder that only its
 * owner can enter.
 */
#ifndef SCOPEFS_EXEC_SESSION_FOLDER_H
#define SCOPEFS_EXEC_SESSION_FOLDER_H

#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>
#include <stddef.h>

struct session_name {
    const char *scope, *name;
};

#define SESSION_NAME_SYNTAX                                                                        \
    "a name is made of letters, digits, '_', '-' and '.', begins with none of the last two and "   \
    "has at most 40 bytes"

/* Whether sessions can be called that: as scopes can. */
bool session_name_is_valid(const char *name);

/* Opens the folder, made if needed. Refused where it lies in the source of the scope: an agent
 * could put sockets of its own there. A descriptor, or -1 with *error set. */
int session_folder_open(const struct scope *scope, struct error **error);

/* Takes the folder's lock, which whoever starts a session holds until others can connect to it. A
 * descriptor whose closing gives it back, or -1 with *error set. */
int session_folder_lock(int folder, struct error **error);

/* Connects to a session. -1 with errno: ENOENT or ECONNREFUSED when nobody is there, EPERM when it
 * is somebody else than a process of the caller's user out here. */
int session_connect(int folder, const struct session_name *session);

/* Makes its socket, in place of a dead session's, and listens. -1 with *error set. */
int session_listen(int folder, const struct session_name *session, struct error **error);

void session_unlink(int folder, const struct session_name *session);

/* Calls `each` for every socket there is of the scope and the name (NULL: any), until it returns
 * false. */
typedef bool session_visitor(void *context, int folder, const struct session_name *session);
void session_folder_visit(int folder, const struct session_name *wanted, session_visitor *each,
                          void *context);

/* How many sessions of the scope there are; dead ones are taken away. */
size_t session_count(int folder, const char *scope);

#endif
