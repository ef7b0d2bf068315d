#include "scopefs/network_pattern.h"

#include <arpa/inet.h>
#include <string.h>

static const char digits[] = "0123456789";
static const char name_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

static bool is_hexadecimal(const char *text)
{
    return text[0] == '0' && text[1] == 'x' &&
           strspn(text + 2, "0123456789abcdef") == strlen(text + 2);
}

/* What a library might take for an address in one of inet_aton(3)'s forms ends so (as the URL
 * standard of WHATWG has it: "ends in a number"). */
static bool ends_in_number(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;
    return strspn(last, digits) == strlen(last) || is_hexadecimal(last);
}

static bool labels_are_valid(const char *name)
{
    for (const char *label = name; label;) {
        size_t length = strspn(label, name_characters);
        const char *end = label + length;
        if (length == 0 || length > 63 || label[0] == '-' || end[-1] == '-' ||
            (*end && *end != '.'))
            return false;
        label = *end ? end + 1 : NULL;
    }
    return true;
}

/* In lower case, and without a last dot. */
static bool parse_name(const char *text, char name[NETWORK_NAME_ROOM])
{
    size_t length = strlen(text);
    if (length && text[length - 1] == '.')
        length--;
    if (length == 0 || length >= NETWORK_NAME_ROOM)
        return false;
    for (size_t i = 0; i < length; i++)
        name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    name[length] = '\0';
    return labels_are_valid(name) && !ends_in_number(name);
}

static bool parse_ipv6(const char *text, struct in6_addr *address)
{
    char copy[INET6_ADDRSTRLEN];
    size_t length = strlen(text);
    bool brackets = text[0] == '[' && text[length - 1] == ']';
    size_t inner = brackets ? length - 2 : length;
    if (length < 2 || inner >= sizeof(copy))
        return false;
    memcpy(copy, text + (brackets ? 1 : 0), inner);
    copy[inner] = '\0';
    return inet_pton(AF_INET6, copy, address) == 1;
}

static bool parse_ipv4(const char *text, struct in6_addr *address)
{
    struct in_addr four;
    if (inet_pton(AF_INET, text, &four) != 1)
        return false;
    memset(address, 0, sizeof(*address));
    address->s6_addr[10] = address->s6_addr[11] = 0xff;
    memcpy(&address->s6_addr[12], &four, sizeof(four));
    return true;
}

bool network_host_parse(const char *text, struct network_host *host)
{
    *host = (struct network_host){0};
    host->is_address = parse_ipv4(text, &host->address) || parse_ipv6(text, &host->address);
    return host->is_address || parse_name(text, host->name);
}

static bool parse_port(const char *text, unsigned *port)
{
    size_t length = strlen(text);
    unsigned value = 0;
    if (strcmp(text, "*") == 0) {
        *port = NETWORK_EVERY_PORT;
        return true;
    }
    if (length == 0 || length > 5 || strspn(text, digits) != length)
        return false;
    for (const char *at = text; *at; at++)
        value = value * 10 + (unsigned)(*at - '0');
    *port = value;
    return value > 0 && value < NETWORK_EVERY_PORT;
}

/* The colon before a port; those of an IPv6 address without brackets are none. */
static const char *find_port(const char *text)
{
    const char *bracket = strrchr(text, ']');
    const char *colon = strrchr(text, ':');
    if (bracket)
        return bracket[1] == ':' ? bracket + 1 : NULL;
    return colon && strchr(text, ':') == colon ? colon : NULL;
}

bool network_pattern_parse(const char *text, struct network_pattern *pattern, size_t *offset,
                           const char **message)
{
    char host[NETWORK_NAME_ROOM + 3];
    const char *colon = find_port(text);
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    *pattern = (struct network_pattern){.kind = NETWORK_ONE_HOST, .port = NETWORK_WEB_PORTS};
    *offset = 0;
    *message =
        "write a host's name, *.NAME for all names below it, an address ([...] around IPv6), "
        "or * for every public host; behind it a port or * after a colon";
    if (colon && !parse_port(colon + 1, &pattern->port)) {
        *offset = length + 1;
        *message = "a port is a number from 1 to 65535, or *";
        return false;
    }
    if (length >= sizeof(host))
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if (strcmp(host, "*") == 0) {
        pattern->kind = NETWORK_EVERY_HOST;
        return true;
    }
    if (strncmp(host, "*.", 2) != 0)
        return network_host_parse(host, &pattern->host);
    pattern->kind = NETWORK_BELOW_NAME;
    return network_host_parse(host + 2, &pattern->host) && !pattern->host.is_address;
}

bool network_pattern_covers_port(const struct network_pattern *pattern, unsigned port)
{
    if (pattern->port == NETWORK_WEB_PORTS)
        return port == 80 || port == 443;
    return pattern->port == NETWORK_EVERY_PORT || pattern->port == port;
}

static bool is_below(const char *name, const char *above)
{
    size_t length = strlen(name), suffix = strlen(above);
    return length > suffix + 1 && name[length - suffix - 1] == '.' &&
           strcmp(name + length - suffix, above) == 0;
}

bool network_host_equal(const struct network_host *one, const struct network_host *other)
{
    if (one->is_address != other->is_address)
        return false;
    if (one->is_address)
        return memcmp(&one->address, &other->address, sizeof(one->address)) == 0;
    return strcmp(one->name, other->name) == 0;
}

bool network_pattern_covers(const struct network_pattern *pattern, const struct network_host *host,
                            unsigned port)
{
    if (!network_pattern_covers_port(pattern, port))
        return false;
    if (pattern->kind == NETWORK_EVERY_HOST)
        return true;
    if (pattern->kind == NETWORK_ONE_HOST)
        return network_host_equal(host, &pattern->host);
    return !host->is_address && is_below(host->name, pattern->host.name);
}
