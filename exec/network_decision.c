#include "network_decision.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct block4 {
    uint32_t network;
    unsigned bits;
};

/* https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast (RFC 5771). */
static const struct block4 special4[] = {
    {0x00000000, 8},  /* 0.0.0.0: this network */
    {0x0a000000, 8},  /* 10: private */
    {0x64400000, 10}, /* 100.64: between a provider and its customers */
    {0x7f000000, 8},  /* 127: loopback */
    {0xa9fe0000, 16}, /* 169.254: link-local, where clouds keep credentials */
    {0xac100000, 12}, /* 172.16: private */
    {0xc0000000, 24}, /* 192.0.0: protocol assignments */
    {0xc0000200, 24}, /* 192.0.2: documentation */
    {0xc0586300, 24}, /* 192.88.99: relays to 6to4 */
    {0xc0a80000, 16}, /* 192.168: private */
    {0xc6120000, 15}, /* 198.18: benchmarks */
    {0xc6336400, 24}, /* 198.51.100: documentation */
    {0xcb007100, 24}, /* 203.0.113: documentation */
    {0xe0000000, 3},  /* 224: multicast and reserved, up to broadcast */
};

static bool ipv4_is_public(const unsigned char *bytes)
{
    uint32_t address = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                       (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
    for (size_t i = 0; i < sizeof(special4) / sizeof(special4[0]); i++)
        if ((address ^ special4[i].network) >> (32 - special4[i].bits) == 0)
            return false;
    return true;
}

static bool begins_with(const struct in6_addr *address, const void *prefix, size_t size)
{
    return memcmp(address->s6_addr, prefix, size) == 0;
}

bool network_address_is_public(const struct in6_addr *address)
{
    static const unsigned char translated[12] = {0, 0x64, 0xff, 0x9b};
    if (IN6_IS_ADDR_V4MAPPED(address) || begins_with(address, translated, sizeof(translated)))
        return ipv4_is_public(address->s6_addr + 12);
    /* Only 2000::/3 is given out; in it, what carries IPv4 addresses or belongs to nobody. */
    return (address->s6_addr[0] & 0xe0) == 0x20 &&
           !(begins_with(address, "\x20\x01", 2) && address->s6_addr[2] < 2) && /* Teredo, ORCHID */
           !begins_with(address, "\x20\x01\x0d\xb8", 4) &&                      /* documentation */
           !begins_with(address, "\x20\x02", 2) &&                              /* 6to4 */
           !(begins_with(address, "\x3f\xff", 2) && address->s6_addr[2] < 16);  /* documentation */
}

static void print_address(const struct in6_addr *address, char text[INET6_ADDRSTRLEN])
{
    if (IN6_IS_ADDR_V4MAPPED(address))
        inet_ntop(AF_INET, address->s6_addr + 12, text, INET6_ADDRSTRLEN);
    else
        inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
}

static bool is_named(const struct network_pattern *patterns, size_t count,
                     const struct in6_addr *address, unsigned port)
{
    const struct network_host host = {.is_address = true, .address = *address};
    for (size_t i = 0; i < count; i++)
        if (patterns[i].kind == NETWORK_ONE_HOST &&
            network_pattern_covers(&patterns[i], &host, port))
            return true;
    return false;
}

static bool is_covered(const struct network_pattern *patterns, size_t count,
                       const struct network_host *host, unsigned port)
{
    for (size_t i = 0; i < count; i++)
        if (network_pattern_covers(&patterns[i], host, port))
            return true;
    return false;
}

static void refuse(struct network_decision *decision, const char *reason)
{
    decision->answer = NETWORK_REFUSED;
    snprintf(decision->reason, sizeof(decision->reason), "%s", reason);
}

/* Keeps of the addresses those that may be connected to. */
static void choose_targets(const struct network_pattern *patterns, size_t count, unsigned port,
                           const struct network_lookup *found, const struct network_world *world,
                           struct network_decision *decision)
{
    struct network_lookup *targets = &decision->targets;
    for (size_t i = 0; i < found->count; i++) {
        const struct in6_addr *address = &found->addresses[i];
        char text[INET6_ADDRSTRLEN];
        if (is_named(patterns, count, address, port) ||
            (network_address_is_public(address) && !world->is_own(address))) {
            targets->addresses[targets->count++] = *address;
            continue;
        }
        print_address(address, text);
        snprintf(decision->reason, sizeof(decision->reason),
                 "its address %s is not of the public network, and no network-allow names that "
                 "address with this port",
                 text);
    }
    decision->answer = targets->count ? NETWORK_PERMITTED : NETWORK_REFUSED;
}

void network_decide(const struct network_pattern *patterns, size_t count, const char *host,
                    unsigned port, const struct network_world *world,
                    struct network_decision *decision)
{
    struct network_host parsed;
    struct network_lookup found = {.count = 1};
    *decision = (struct network_decision){.answer = NETWORK_REFUSED};
    if (!network_host_parse(host, &parsed) || port == 0 || port >= NETWORK_EVERY_PORT) {
        refuse(decision, "this is neither a name nor an address in its usual form");
        return;
    }
    if (!is_covered(patterns, count, &parsed, port)) {
        refuse(decision, "no network-allow covers it");
        return;
    }
    if (parsed.is_address) {
        found.addresses[0] = parsed.address;
    } else if (!world->resolve(parsed.name, &found) || found.count == 0) {
        decision->answer = NETWORK_UNKNOWN_NAME;
        snprintf(decision->reason, sizeof(decision->reason), "the name cannot be resolved");
        return;
    }
    choose_targets(patterns, count, port, &found, world, decision);
}
