/*
 * Whether a command may talk to a host, and at which addresses. A name is resolved once, here, and
 * what was checked is what is connected to: a name server that answers otherwise a moment later
 * (DNS rebinding) changes nothing. Addresses that are not of the public network, and the host's
 * own, are refused unless a pattern names that very address.
 */
#ifndef SCOPEFS_EXEC_NETWORK_DECISION_H
#define SCOPEFS_EXEC_NETWORK_DECISION_H

#include "scopefs/network_pattern.h"

/* Of a name with more addresses the first ones are tried. */
#define NETWORK_MAX_ADDRESSES 8
#define NETWORK_REASON_ROOM   400

struct network_lookup {
    struct in6_addr addresses[NETWORK_MAX_ADDRESSES]; /* of IPv4: mapped */
    size_t count;
};

/* What a decision asks of the host; for tests, of something else. */
struct network_world {
    /* Sets *found; false when there is no such name. */
    bool (*resolve)(const char *name, struct network_lookup *found);
    /* Whether the address is this host's own. */
    bool (*is_own)(const struct in6_addr *address);
};

enum network_answer { NETWORK_PERMITTED, NETWORK_REFUSED, NETWORK_UNKNOWN_NAME };

struct network_decision {
    enum network_answer answer;
    struct network_lookup targets;    /* where to connect, in that order */
    char reason[NETWORK_REASON_ROOM]; /* of a refusal; one line */
};

void network_decide(const struct network_pattern *patterns, size_t count, const char *host,
                    unsigned port, const struct network_world *world,
                    struct network_decision *decision);

/* Unicast, and in no block that is set aside by IANA's special-purpose registries. */
bool network_address_is_public(const struct in6_addr *address);

#endif
