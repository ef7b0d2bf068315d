/*
 * What scopefs-network refused, as it tells its owner, and what scopefs-exec makes of it: each host
 * and port once, with the number of times, and a line in the scope's audit file.
 */
#ifndef SCOPEFS_EXEC_NETWORK_REPORT_H
#define SCOPEFS_EXEC_NETWORK_REPORT_H

#include "network_decision.h"
#include "network_link.h"
#include "scopefs/config.h"
#include "scopefs/strbuf.h"

#include <stdint.h>

/* One message of a SOCK_SEQPACKET socket. */
struct network_refusal {
    uint16_t port;
    char host[sizeof(((struct link_request *)0)->host)]; /* as the command has named it */
    char reason[NETWORK_REASON_ROOM];
};

struct network_report {
    int fd;                    /* -1: nothing comes any more; owned */
    const struct scope *scope; /* borrowed */
    struct network_refusal *items;
    unsigned long *times; /* of each */
    size_t count;
    unsigned long long others; /* beyond what is kept */
};

void network_report_open(struct network_report *report, int fd, const struct scope *scope);

/* Reads what there is. */
void network_report_read(struct network_report *report);

/* Forgets what there was, but goes on. */
void network_report_clear(struct network_report *report);

/* An array of objects. */
void network_report_add_json(const struct network_report *report, struct strbuf *text);

void network_report_free(struct network_report *report);

#endif
