/*
 * What a client asks of the proxy inside: HTTP (RFC 9110, RFC 9112), with CONNECT and with a whole
 * URI, or SOCKS 5 (RFC 1928). Reading it is pure. It runs inside the sandbox, so that a client
 * gains nothing from a fault here.
 */
#ifndef SCOPEFS_EXEC_PROXY_REQUEST_H
#define SCOPEFS_EXEC_PROXY_REQUEST_H

#include "network_link.h"
#include "relay.h"

#include <stdbool.h>
#include <stddef.h>

#define PROXY_HEAD_LIMIT (RELAY_BUFFER - 1024)

enum proxy_kind { PROXY_CONNECT, PROXY_HTTP, PROXY_SOCKS };

enum proxy_progress {
    PROXY_UNFINISHED, /* more bytes are needed */
    PROXY_GREETING,   /* SOCKS: the reply is to be sent, and what follows to be read */
    PROXY_WHOLE,
    PROXY_WRONG, /* the reply is to be sent before the end */
};

struct proxy_request {
    enum proxy_kind kind;
    struct link_request target;
    size_t consumed;         /* bytes of the request; what is behind belongs to the connection */
    char head[RELAY_BUFFER]; /* PROXY_HTTP: the head as the server gets it */
    size_t head_size;
    const char *reply;
    size_t reply_size;
};

/* Reads from the first byte of a connection; `is_greeted` says that PROXY_GREETING was answered and
 * its bytes taken away. */
enum proxy_progress proxy_request_parse(const char *bytes, size_t size, bool is_greeted,
                                        struct proxy_request *request);

#endif
