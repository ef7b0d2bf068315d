/* Tells a service manager how it goes, see sd_notify(3): one datagram to $NOTIFY_SOCKET. */
#ifndef SCOPEFS_FUSE_SERVICE_NOTIFY_H
#define SCOPEFS_FUSE_SERVICE_NOTIFY_H

/* `state` as "READY=1". Nothing happens where nobody asked to be told. */
void service_notify(const char *state);

#endif
