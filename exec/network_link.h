/*
 * How scopefs-stage2's forwarder, inside, and scopefs-network, outside, talk. For each connection
 * the forwarder makes a pair of stream sockets and sends one of them with a request on a
 * SOCK_SEQPACKET channel that both have inherited; the sandbox so holds no path to the outside that
 * another process could open. On the stream the answer comes: one of these letters, and behind
 * LINK_CONNECTED the bytes of the connection, behind the others a line that says why not.
 */
#ifndef SCOPEFS_EXEC_NETWORK_LINK_H
#define SCOPEFS_EXEC_NETWORK_LINK_H

#include "scopefs/network_pattern.h"

#include <stdint.h>

#define LINK_CONNECTED   'C'
#define LINK_REFUSED     'R' /* by the rules */
#define LINK_UNKNOWN     'N' /* there is no such name */
#define LINK_UNREACHABLE 'U' /* nobody answers there */

/* The host as the client has named it; longer ones are no names. */
struct link_request {
    uint16_t port;
    char host[NETWORK_NAME_ROOM + 2];
};

/* Where clients find the proxy. In a network namespace of its own every port is free. */
#define LINK_PROXY_PORT 3128

#endif
