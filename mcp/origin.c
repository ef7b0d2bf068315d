#include "origin.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define NAME_ROOM 256

static bool is_port(const char *text)
{
    return *text == '\0' || (*text == ':' && text[1] && strspn(text + 1, "0123456789") <= 5 &&
                             text[1 + strspn(text + 1, "0123456789")] == '\0');
}

/* Copies the name before the port, without the brackets of an address. */
static bool split(const char *host, char *name, bool *is_bracketed)
{
    *is_bracketed = *host == '[';
    const char *start = host + *is_bracketed;
    const char *end = *is_bracketed ? strchr(start, ']') : start + strcspn(start, ":");
    if (!end || end == start || (size_t)(end - start) >= NAME_ROOM || !is_port(end + *is_bracketed))
        return false;
    memcpy(name, start, (size_t)(end - start));
    name[end - start] = '\0';
    return true;
}

static bool is_listed(const char *name, const struct names *allowed)
{
    for (size_t i = 0; i < allowed->count; i++)
        if (strcasecmp(allowed->items[i], name) == 0)
            return true;
    return false;
}

bool host_is_ours(const char *host, const struct names *allowed)
{
    char name[NAME_ROOM];
    bool is_bracketed;
    struct in6_addr address;
    if (!host || !split(host, name, &is_bracketed))
        return false;
    /* An address is nobody's name: no page of the web has it as its own. */
    if (is_bracketed)
        return inet_pton(AF_INET6, name, &address) == 1;
    return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &address) == 1 ||
           is_listed(name, allowed);
}

bool origin_is_ours(const char *origin, const char *host, bool has_tls, const struct names *allowed)
{
    const char *scheme = has_tls ? "https://" : "http://";
    size_t length = strlen(scheme);
    if (!origin || is_listed(origin, allowed))
        return true;
    return host && strncasecmp(origin, scheme, length) == 0 &&
           strcasecmp(origin + length, host) == 0;
}
