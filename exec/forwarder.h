/*
 * The part of the network that is inside the sandbox: a proxy for HTTP and SOCKS on the sandbox's
 * own loopback, which has every connection made outside, by scopefs-network (see network_link.h).
 * It decides nothing.
 */
#ifndef SCOPEFS_EXEC_FORWARDER_H
#define SCOPEFS_EXEC_FORWARDER_H

/* Listens, and leaves a process behind that serves until the sandbox ends: it is no child of the
 * caller's. 0, or -1 with errno. */
int forwarder_start(int channel);

#endif
