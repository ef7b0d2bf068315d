/* Who may be talked to, and what is read of a client's request: all as values, nothing is sent. */
#include "../tap.h"

#include "../../exec/network_decision.h"
#include "../../exec/proxy_request.h"

#include <arpa/inet.h>
#include <string.h>

/* --- Hosts and patterns --- */

static void test_hosts(void)
{
    static const struct {
        const char *text;
        const char *name; /* "": an address; NULL: neither */
    } cases[] = {
        {"example.org", "example.org"},
        {"EXAMPLE.Org.", "example.org"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"_srv.example.org", "_srv.example.org"},
        {"localhost", "localhost"},
        {"3com.example", "3com.example"},
        {"127.0.0.1", ""},
        {"::1", ""},
        {"[::1]", ""},
        {"[::ffff:127.0.0.1]", ""},
        {"127.1", NULL},
        {"0x7f.1", NULL},
        {"0x7f000001", NULL},
        {"0X7F000001", NULL},
        {"2130706433", NULL},
        {"017700000001", NULL},
        {"127.0.0.1.", NULL},
        {"0127.0.0.1", NULL},
        {"example.0x", NULL},
        {"[127.0.0.1]", NULL},
        {"[::1", NULL},
        {"::1%lo", NULL},
        {"", NULL},
        {".", NULL},
        {"a..b", NULL},
        {".a", NULL},
        {"a..", NULL},
        {"-a.b", NULL},
        {"a-.b", NULL},
        {"a b", NULL},
        {"b\xc3\xbc"
         "cher.example",
         NULL},
        {"a@b", NULL},
        {"a/b", NULL},
        {"a\\b", NULL},
        {"a%2eb", NULL},
        {"a:80", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct network_host host;
        bool parsed = network_host_parse(cases[i].text, &host);
        is_string(parsed ? host.name : NULL, cases[i].name, "host '%s'", cases[i].text);
        ok(!parsed || host.is_address == (*host.name == '\0'), "which is a name or an address");
    }
}

static void test_long_hosts(void)
{
    char longest[300];
    struct network_host host;
    memset(longest, 'a', sizeof(longest));
    for (size_t i = 60; i < sizeof(longest); i += 61)
        longest[i] = '.';
    longest[253] = '\0';
    ok(network_host_parse(longest, &host), "a name has at most 253 characters");
    longest[253] = 'a';
    longest[254] = '\0';
    ok(!network_host_parse(longest, &host), "and not one more");
    memset(longest, 'a', 64);
    longest[64] = '\0';
    ok(!network_host_parse(longest, &host), "a part of it has at most 63");
}

static void test_patterns(void)
{
    static const struct {
        const char *pattern, *host;
        unsigned port;
        bool covers;
    } cases[] = {
        {"example.org", "example.org", 443, true},
        {"example.org", "example.org", 80, true},
        {"example.org", "example.org", 22, false},
        {"example.org", "www.example.org", 443, false},
        {"example.org", "notexample.org", 443, false},
        {"example.org:22", "example.org", 22, true},
        {"example.org:22", "example.org", 443, false},
        {"example.org:*", "example.org", 65535, true},
        {"Example.ORG.", "eXample.org", 443, true},
        {"*.example.org", "www.example.org", 443, true},
        {"*.example.org", "a.b.example.org", 443, true},
        {"*.example.org", "example.org", 443, false},
        {"*.example.org", "badexample.org", 443, false},
        {"*.example.org:8080", "a.example.org", 8080, true},
        {"*", "anything.example", 443, true},
        {"*", "192.0.2.1", 80, true},
        {"*", "anything.example", 22, false},
        {"*:*", "anything.example", 22, true},
        {"127.0.0.1:99", "127.0.0.1", 99, true},
        {"127.0.0.1", "[::ffff:127.0.0.1]", 80, true},
        {"127.0.0.1", "127.0.0.2", 80, false},
        {"::1", "0:0::1", 80, true},
        {"[::1]:99", "::1", 99, true},
        {"[::1]:99", "::1", 80, false},
    };
    struct network_pattern pattern;
    struct network_host host;
    const char *message;
    size_t offset;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ok(network_pattern_parse(cases[i].pattern, &pattern, &offset, &message) &&
               network_host_parse(cases[i].host, &host) &&
               network_pattern_covers(&pattern, &host, cases[i].port) == cases[i].covers,
           "%s %s %s port %u", cases[i].pattern, cases[i].covers ? "covers" : "does not cover",
           cases[i].host, cases[i].port);
}

static void test_wrong_patterns(void)
{
    static const char *const wrong[] = {
        "",
        "example.org:",
        "example.org:0",
        "example.org:65536",
        "example.org:http",
        "*.",
        "*.1.2.3.4",
        "a*.org",
        "*example.org",
        "*.*.org",
        "http://a",
        "a/b",
        "10.0.0.0/8",
        "[::1]99",
        "1.2.3",
        "::1:99999",
        "example.org:80:80",
        "**",
        ":80",
        "*.[::1]",
    };
    struct network_pattern pattern;
    const char *message;
    size_t offset;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ok(!network_pattern_parse(wrong[i], &pattern, &offset, &message), "'%s' is no pattern",
           wrong[i]);
}

static void test_addresses(void)
{
    static const char *const public[] = {"1.1.1.1",         "172.32.0.1",   "192.0.1.1",
                                         "223.255.255.255", "2606:4700::1", "2001:200::1",
                                         "64:ff9b::8.8.8.8"};
    static const char *const special[] = {
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.170",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "fec0::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1.1.1.1",
        "100::1",
        "5f00::1",
        "4000::1",
    };
    struct network_host host;
    for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++)
        ok(network_host_parse(public[i], &host) && network_address_is_public(&host.address),
           "%s is of the public network", public[i]);
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        ok(network_host_parse(special[i], &host) && !network_address_is_public(&host.address),
           "%s is not", special[i]);
}

/* --- Decisions, in a world of our own --- */

static int times_resolved;

/* Answers otherwise each time, as who rebinds a name does. */
static bool resolve(const char *name, struct network_lookup *found)
{
    static const struct {
        const char *name, *address;
    } hosts[] = {
        {"good.example", "1.2.3.4"},   {"good.example", "2606:4700::1"},
        {"inner.example", "10.0.0.5"}, {"mixed.example", "10.0.0.5"},
        {"mixed.example", "1.2.3.4"},  {"own.example", "5.6.7.8"},
        {"turns.example", "1.2.3.4"},
    };
    struct network_host host;
    found->count = 0;
    times_resolved++;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (strcmp(hosts[i].name, name) == 0 && network_host_parse(hosts[i].address, &host))
            found->addresses[found->count++] = host.address;
    if (strcmp(name, "turns.example") == 0 && times_resolved > 1 &&
        network_host_parse("127.0.0.1", &host))
        found->addresses[0] = host.address;
    return found->count > 0;
}

static bool is_own(const struct in6_addr *address)
{
    struct network_host host;
    return network_host_parse("5.6.7.8", &host) &&
           memcmp(&host.address, address, sizeof(*address)) == 0;
}

static const char *decide(const char *pattern_list, const char *host, unsigned port)
{
    static const struct network_world world = {resolve, is_own};
    static char text[2000];
    struct network_pattern patterns[8];
    struct network_decision decision;
    char list[200], *rest = NULL;
    size_t count = 0, offset;
    const char *message;
    snprintf(list, sizeof(list), "%s", pattern_list);
    for (char *one = strtok_r(list, " ", &rest); one; one = strtok_r(NULL, " ", &rest))
        network_pattern_parse(one, &patterns[count++], &offset, &message);
    network_decide(patterns, count, host, port, &world, &decision);
    if (decision.answer == NETWORK_UNKNOWN_NAME)
        return "unknown";
    if (decision.answer == NETWORK_REFUSED)
        return decision.reason[0] ? "refused" : "refused without a word";
    text[0] = '\0';
    for (size_t i = 0; i < decision.targets.count; i++) {
        char one[INET6_ADDRSTRLEN];
        inet_ntop(AF_INET6, &decision.targets.addresses[i], one, sizeof(one));
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "", one);
    }
    return text;
}

static void test_decisions(void)
{
    is_string(decide("good.example", "good.example", 443), "::ffff:1.2.3.4 2606:4700::1",
              "a name that is covered goes to its addresses");
    is_string(decide("good.example", "other.example", 443), "refused", "another one does not");
    is_string(decide("*", "nobody.example", 443), "unknown", "nor one that is not there");
    is_string(decide("inner.example", "inner.example", 443), "refused",
              "a name does not open the private network");
    is_string(decide("inner.example 10.0.0.5", "inner.example", 443), "::ffff:10.0.0.5",
              "unless its address is named too");
    is_string(decide("inner.example 10.0.0.5:22", "inner.example", 443), "refused",
              "with the port");
    is_string(decide("mixed.example", "mixed.example", 443), "::ffff:1.2.3.4",
              "of several addresses those that may be are taken");
    is_string(decide("own.example", "own.example", 443), "refused",
              "this host's own address is not public, whichever it is");
    is_string(decide("*", "10.0.0.5", 443), "refused", "nor does * open the private network");
    is_string(decide("*", "1.2.3.4", 443), "::ffff:1.2.3.4", "but every public address");
    is_string(decide("good.example", "1.2.3.4", 443), "refused",
              "a name does not allow its address by itself");
    is_string(decide("* 127.0.0.1:99", "127.0.0.1", 80), "refused",
              "an address is named with a port");
    is_string(decide("127.0.0.1:99", "[::ffff:127.0.0.1]", 99), "::ffff:127.0.0.1",
              "the same address in another form is the same");
    is_string(decide("*:*", "0x7f.1", 80), "refused", "an address in an odd form is none");
    is_string(decide("*:*", "good.example", 0), "refused", "there is no port 0");
    times_resolved = 0;
    is_string(decide("turns.example", "turns.example", 443), "::ffff:1.2.3.4",
              "what was looked at is what is connected to");
    is_int(times_resolved, 1, "the name is asked for once");
}

/* --- What a client asks for --- */

static struct proxy_request request;

static enum proxy_progress parse(const char *text)
{
    return proxy_request_parse(text, strlen(text), false, &request);
}

static void is_target(const char *host, unsigned port, const char *what)
{
    is_string(request.target.host, host, "%s", what);
    is_int(request.target.port, port, "with its port");
}

static void test_connect(void)
{
    static const char *const wrong[] = {
        "CONNECT example.org HTTP/1.1\r\n\r\n",
        "CONNECT example.org:0 HTTP/1.1\r\n\r\n",
        "CONNECT example.org:65536 HTTP/1.1\r\n\r\n",
        "CONNECT a@example.org:443 HTTP/1.1\r\n\r\n",
        "CONNECT :443 HTTP/1.1\r\n\r\n",
        "CONNECT http://a:80 HTTP/1.1\r\n\r\n",
        "CONNECT a:443\r\n\r\n",
        "CONNECT  a:443 HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET http:/// HTTP/1.1\r\n\r\n",
        "GET https://a/ HTTP/1.1\r\n\r\n",
        "GET http://user:pw@a/ HTTP/1.1\r\n\r\n",
        "GET http://a:b/ HTTP/1.1\r\n\r\n",
        "\r\n\r\n",
        " \r\n\r\n",
    };
    is_int(parse("CONNECT Example.org:443 HTTP/1.1\r\nHost: other\r\n\r\nhello"), PROXY_WHOLE,
           "CONNECT is read");
    is_target("Example.org", 443, "its target is that of the first line");
    is_int(request.consumed, 49, "what comes behind it is not part of it");
    is_int(parse("CONNECT [2001:db8::1]:8443 HTTP/1.1\r\n\r\n"), PROXY_WHOLE, "IPv6 is read");
    is_target("[2001:db8::1]", 8443, "in its brackets");
    is_int(parse("CONNECT a:1 HTTP/1.1\n\n"), PROXY_WHOLE, "bare newlines end lines too");
    is_int(parse("CONNECT a:1 HTTP/1.1\r\n"), PROXY_UNFINISHED,
           "a head without an end is not whole");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        is_int(parse(wrong[i]), PROXY_WRONG, "wrong request %zu is refused", i);
        ok(request.reply && strncmp(request.reply, "HTTP/1.1 400 ", 13) == 0, "as a bad one");
    }
}

static void test_forwarding(void)
{
    is_int(parse("GET http://a.example:8080/path?x=http://b/ HTTP/1.0\r\nHost: b.example\r\n"
                 "host: c.example\r\nProxy-Connection: keep-alive\r\nConnection: keep-alive\r\n"
                 "Proxy-Authorization: Basic x\r\nAccept: */*\r\n\r\nbody"),
           PROXY_WHOLE, "a request with a whole URI is read");
    is_target("a.example", 8080, "its target is the URI's");
    request.head[request.head_size] = '\0';
    is_string(request.head,
              "GET /path?x=http://b/ HTTP/1.1\r\nHost: a.example:8080\r\nConnection: close\r\n"
              "Accept: */*\r\n\r\n",
              "the server gets the URI's host, and nothing that was meant for the proxy");
    is_int(parse("GET HTTP://a.example?x HTTP/1.1\r\n\r\n"), PROXY_WHOLE, "a URI needs no path");
    is_target("a.example", 80, "nor a port");
    ok(strncmp(request.head, "GET /?x HTTP/1.1\r\n", 18) == 0, "it gets one");
    static char text[2 * PROXY_HEAD_LIMIT];
    memset(text, 'a', sizeof(text) - 1);
    memcpy(text, "GET http://a/ HTTP/1.1\r\nX: ", 27);
    is_int(proxy_request_parse(text, PROXY_HEAD_LIMIT - 1, false, &request), PROXY_UNFINISHED,
           "a long head is waited for");
    is_int(proxy_request_parse(text, PROXY_HEAD_LIMIT, false, &request), PROXY_WRONG,
           "one that is too long is refused");
    ok(strncmp(request.reply, "HTTP/1.1 431 ", 13) == 0, "as that");
}

static void test_socks(void)
{
    static const char name[] = "\5\1\0\3\13example.org\1\273rest";
    is_int(proxy_request_parse("\5", 1, false, &request), PROXY_UNFINISHED, "a SOCKS greeting");
    is_int(proxy_request_parse("\5\2\0\2x", 5, false, &request), PROXY_GREETING, "is answered");
    is_int(request.consumed, 4, "and taken");
    is_int(proxy_request_parse("\5\1\2", 3, false, &request), PROXY_WRONG,
           "one that wants a login is refused");
    is_int(proxy_request_parse(name, sizeof(name) - 1, true, &request), PROXY_WHOLE,
           "a name is read");
    is_target("example.org", 443, "as it is");
    is_int(request.consumed, 18, "without what follows");
    for (size_t size = 1; size < 18; size++)
        if (proxy_request_parse(name, size, true, &request) != PROXY_UNFINISHED)
            ok(false, "%zu bytes are not enough", size);
    is_int(proxy_request_parse("\5\1\0\1\177\0\0\1\0\120", 10, true, &request), PROXY_WHOLE,
           "an IPv4 address is read");
    is_target("127.0.0.1", 80, "as one");
    is_int(
        proxy_request_parse("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\120", 22, true, &request),
        PROXY_WHOLE, "an IPv6 address is read");
    is_target("::1", 80, "as one");
    is_int(proxy_request_parse("\5\2\0\1\177\0\0\1\0\120", 10, true, &request), PROXY_WRONG,
           "to listen is refused");
    is_int(proxy_request_parse("\4\1\0\120\177\0\0\1\0", 9, true, &request), PROXY_WRONG,
           "so is an older version");
    is_int(proxy_request_parse("\5\1\0\3\5a\0b.c\0\120", 12, true, &request), PROXY_WRONG,
           "so is a NUL in a name");
}

int main(void)
{
    test_hosts();
    test_long_hosts();
    test_patterns();
    test_wrong_patterns();
    test_addresses();
    test_decisions();
    test_connect();
    test_forwarding();
    test_socks();
    return done_testing();
}
