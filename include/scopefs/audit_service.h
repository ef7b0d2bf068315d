/*
 * The system's own logs: syslog by its socket /dev/log, and the journal by its native protocol. A
 * service that is slow never holds the supervisor: what it does not take at once is lost.
 */
#ifndef SCOPEFS_AUDIT_SERVICE_H
#define SCOPEFS_AUDIT_SERVICE_H

#include "scopefs/audit_line.h"

#include "scopefs/error.h"

enum audit_service { AUDIT_SYSLOG, AUDIT_JOURNAL, AUDIT_SERVICES };

/* Whether somebody listens there. -1 with *error set to what is missing. */
int audit_service_probe(enum audit_service service, struct error **error);

/* Sends the line; `*fd` is -1 or the connection from before, and is made anew when the service was
 * started again. 0, or -1 with errno. */
int audit_service_send(enum audit_service service, int *fd, const struct audit_line *line);

#endif
