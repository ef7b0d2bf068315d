/* Where the HTTP server listens: ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH. */
#ifndef SCOPEFS_MCP_LISTEN_H
#define SCOPEFS_MCP_LISTEN_H

#include "scopefs/error.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct listen_place {
    struct sockaddr_storage address;
    socklen_t size;
    bool is_unix, is_loopback;
};

/* Names are not looked up. 0, or -1 with *error set. */
int listen_parse(const char *text, struct listen_place *place, struct error **error);

/* A socket that listens there; what a dead server has left at a path is removed. A socket with a
 * path is open to its owner only. -1 with *error set. */
int listen_open(const struct listen_place *place, struct error **error);

/* Says on standard error where the socket listens. */
void listen_announce(const struct listen_place *place, int fd, bool has_tls);

/* Removes the path of a socket. */
void listen_remove(const struct listen_place *place);

#endif
