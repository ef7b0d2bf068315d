/*
 * Fuzz target: what a client of the sandbox's proxy sends, and what becomes of the host that it
 * names. The first 16 bytes of the input are the address that every name has; the rest is the
 * request.
 */
#include "fuzz.h"

#include "../../exec/network_decision.h"
#include "../../exec/proxy_request.h"

#include <string.h>

static struct in6_addr everywhere;

static bool resolve(const char *name, struct network_lookup *found)
{
    struct network_host host;
    fuzz_check(network_host_parse(name, &host) && !host.is_address && strcmp(host.name, name) == 0,
               "a name is asked for that is none: '%s'", name);
    found->count = 1;
    found->addresses[0] = everywhere;
    return true;
}

static bool is_own(const struct in6_addr *address)
{
    return address->s6_addr[15] == 1;
}

/* Everything is allowed, but of what is not public only one address. */
static void check_decision(const struct link_request *target)
{
    static const struct network_world world = {resolve, is_own};
    struct network_pattern patterns[2];
    struct network_decision decision;
    const char *message;
    size_t offset;
    network_pattern_parse("*:*", &patterns[0], &offset, &message);
    network_pattern_parse("10.0.0.1:80", &patterns[1], &offset, &message);
    network_decide(patterns, 2, target->host, target->port, &world, &decision);
    fuzz_check(decision.answer != NETWORK_REFUSED || decision.reason[0], "refused for no reason");
    for (size_t i = 0; i < decision.targets.count; i++) {
        const struct in6_addr *address = &decision.targets.addresses[i];
        struct network_host named = {.is_address = true, .address = *address};
        fuzz_check(network_pattern_covers(&patterns[1], &named, target->port) ||
                       (network_address_is_public(address) && !is_own(address)),
                   "a connection to what is not public");
    }
}

static void check_request(const char *bytes, size_t size, bool is_greeted)
{
    static struct proxy_request request;
    enum proxy_progress progress = proxy_request_parse(bytes, size, is_greeted, &request);
    fuzz_check(progress == PROXY_WRONG || request.consumed <= size, "more was taken than there is");
    fuzz_check((progress != PROXY_WRONG && progress != PROXY_GREETING) || request.reply_size,
               "nothing to say");
    if (progress != PROXY_WHOLE)
        return;
    fuzz_check(request.consumed > 0, "a request of nothing");
    fuzz_check(memchr(request.target.host, '\0', sizeof(request.target.host)),
               "a host without end");
    if (request.kind == PROXY_HTTP)
        fuzz_check(request.head_size < sizeof(request.head), "a head that was cut");
    check_decision(&request.target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char bytes[PROXY_HEAD_LIMIT];
    if (size < sizeof(everywhere) || size - sizeof(everywhere) > sizeof(bytes))
        return 0;
    memcpy(&everywhere, data, sizeof(everywhere));
    size -= sizeof(everywhere);
    memcpy(bytes, data + sizeof(everywhere), size);
    check_request(bytes, size, false);
    check_request(bytes, size, true);
    return 0;
}
