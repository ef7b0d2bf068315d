/* Looking names up and connecting, with an end to waiting. */
#ifndef SCOPEFS_EXEC_NETWORK_CONNECT_H
#define SCOPEFS_EXEC_NETWORK_CONNECT_H

#include "network_decision.h"

/* This host's network, by the C library and the kernel. */
extern const struct network_world network_real_world;

/* A connected socket, which does not block, to the first of the addresses that answers; or -1 with
 * errno. */
int network_connect(const struct network_lookup *targets, unsigned port);

#endif
