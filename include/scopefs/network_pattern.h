/*
 * Whom a command may talk to (network-allow of [exec NAME]): a host's name, "*." and a name for all
 * names below it, an address, or "*" for every host of the public network; behind a colon one port,
 * or "*" for all. Without a port, 80 and 443 are meant. An IPv6 address stands in brackets when a
 * port follows.
 */
#ifndef SCOPEFS_NETWORK_PATTERN_H
#define SCOPEFS_NETWORK_PATTERN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* A name of RFC 1035 has at most 253 characters. */
#define NETWORK_NAME_ROOM 254

struct network_host {
    bool is_address;
    struct in6_addr address;      /* of IPv4: mapped, ::ffff:a.b.c.d, so that there is one form */
    char name[NETWORK_NAME_ROOM]; /* in lower case, without a dot at its end */
};

/* Reads a name or an address, the latter only in its usual form: 127.1, 0x7f000001 and the like are
 * neither. IPv6 may stand in brackets. */
bool network_host_parse(const char *text, struct network_host *host);

bool network_host_equal(const struct network_host *one, const struct network_host *other);

enum network_pattern_kind { NETWORK_EVERY_HOST, NETWORK_BELOW_NAME, NETWORK_ONE_HOST };

enum { NETWORK_WEB_PORTS = 0, NETWORK_EVERY_PORT = 65536 };

struct network_pattern {
    enum network_pattern_kind kind;
    struct network_host host;
    unsigned port; /* or one of the above */
};

/* False, with *offset into the text and a message, for one that cannot be used. */
bool network_pattern_parse(const char *text, struct network_pattern *pattern, size_t *offset,
                           const char **message);

bool network_pattern_covers_port(const struct network_pattern *pattern, unsigned port);

/* Whether this very host is meant: an address is covered by itself alone. */
bool network_pattern_covers(const struct network_pattern *pattern, const struct network_host *host,
                            unsigned port);

#endif
