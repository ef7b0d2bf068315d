#include "proxy_request.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static enum proxy_progress wrong(struct proxy_request *request, const char *reply, size_t size)
{
    request->reply = reply;
    request->reply_size = size;
    return PROXY_WRONG;
}

#define ANSWER(status, text)                                                                       \
    "HTTP/1.1 " status "\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\nscopefs: " text   \
    "\n"

static enum proxy_progress bad_request(struct proxy_request *request)
{
    static const char reply[] = ANSWER("400 Bad Request", "this is no request to a proxy");
    return wrong(request, reply, sizeof(reply) - 1);
}

/* --- SOCKS 5 --- */

enum { SOCKS_VERSION = 5, SOCKS_CONNECT = 1, SOCKS_IPV4 = 1, SOCKS_NAME = 3, SOCKS_IPV6 = 4 };

static enum proxy_progress parse_greeting(const char *bytes, size_t size,
                                          struct proxy_request *request)
{
    static const char no_login[] = {SOCKS_VERSION, 0}, no_method[] = {SOCKS_VERSION, '\xff'};
    if (size < 2 || size < 2U + (unsigned char)bytes[1])
        return PROXY_UNFINISHED;
    request->consumed = 2U + (unsigned char)bytes[1];
    if (!memchr(bytes + 2, 0, (unsigned char)bytes[1]))
        return wrong(request, no_method, sizeof(no_method));
    request->reply = no_login;
    request->reply_size = sizeof(no_login);
    return PROXY_GREETING;
}

static bool set_socks_name(struct link_request *target, const char *bytes, size_t length)
{
    if (length >= sizeof(target->host) || memchr(bytes, '\0', length))
        return false;
    memcpy(target->host, bytes, length);
    target->host[length] = '\0';
    return true;
}

static enum proxy_progress parse_socks(const char *bytes, size_t size,
                                       struct proxy_request *request)
{
    static const char not_supported[] = {SOCKS_VERSION, 7, 0, SOCKS_IPV4, 0, 0, 0, 0, 0, 0};
    static const char bad_address[] = {SOCKS_VERSION, 8, 0, SOCKS_IPV4, 0, 0, 0, 0, 0, 0};
    struct link_request *target = &request->target;
    if (size < 5)
        return PROXY_UNFINISHED;
    if (bytes[0] != SOCKS_VERSION || bytes[1] != SOCKS_CONNECT)
        return wrong(request, not_supported, sizeof(not_supported));
    unsigned char type = (unsigned char)bytes[3];
    size_t start = type == SOCKS_NAME ? 5 : 4;
    size_t length = type == SOCKS_NAME ? (unsigned char)bytes[4] : type == SOCKS_IPV4 ? 4 : 16;
    if (size < start + length + 2)
        return PROXY_UNFINISHED;
    if (type == SOCKS_NAME ? !set_socks_name(target, bytes + start, length)
        : type == SOCKS_IPV4
            ? !inet_ntop(AF_INET, bytes + start, target->host, sizeof(target->host))
            : type != SOCKS_IPV6 ||
                  !inet_ntop(AF_INET6, bytes + start, target->host, sizeof(target->host)))
        return wrong(request, bad_address, sizeof(bad_address));
    const unsigned char *port = (const unsigned char *)bytes + start + length;
    target->port = (uint16_t)(port[0] << 8 | port[1]);
    request->kind = PROXY_SOCKS;
    request->consumed = start + length + 2;
    return PROXY_WHOLE;
}

/* --- HTTP --- */

struct text {
    const char *at;
    size_t length;
};

/* HOST[:PORT], as it stands in a URI: without a user's name, and with brackets around IPv6. */
static bool set_target(struct link_request *target, struct text authority, unsigned default_port)
{
    const char *end = authority.at + authority.length;
    const char *bracket = memrchr(authority.at, ']', authority.length);
    const char *from = bracket ? bracket : authority.at;
    const char *colon = memchr(from, ':', (size_t)(end - from));
    size_t length = colon ? (size_t)(colon - authority.at) : authority.length;
    unsigned port = default_port;
    if (colon) {
        port = 0;
        for (const char *digit = colon + 1; digit < end && port <= UINT16_MAX; digit++) {
            if (*digit < '0' || *digit > '9')
                return false;
            port = port * 10 + (unsigned)(*digit - '0');
        }
    }
    if (length == 0 || length >= sizeof(target->host) || port == 0 || port > UINT16_MAX ||
        memchr(authority.at, '@', authority.length) || memchr(authority.at, '\0', authority.length))
        return false;
    memcpy(target->host, authority.at, length);
    target->host[length] = '\0';
    target->port = (uint16_t)port;
    return true;
}

/* The line without its end; *rest is what follows it. */
static bool next_line(struct text *rest, struct text *line)
{
    const char *end = memchr(rest->at, '\n', rest->length);
    if (!end)
        return false;
    *line = (struct text){rest->at, (size_t)(end - rest->at)};
    rest->length -= line->length + 1;
    rest->at = end + 1;
    if (line->length && line->at[line->length - 1] == '\r')
        line->length--;
    return true;
}

/* Bytes up to and with the empty line; 0 when it is not there yet. */
static size_t head_length(const char *bytes, size_t size)
{
    struct text rest = {bytes, size}, line = {0};
    while (next_line(&rest, &line))
        if (line.length == 0)
            return (size_t)(rest.at - bytes);
    return 0;
}

static bool is_header(struct text line, const char *name)
{
    size_t length = strlen(name);
    return line.length > length && line.at[length] == ':' &&
           strncasecmp(line.at, name, length) == 0;
}

/* Those are between the client and the proxy; and there is one request per connection. */
static bool is_dropped(struct text line)
{
    static const char *const names[] = {"Host", "Connection", "Keep-Alive", "Proxy-Connection",
                                        "Proxy-Authorization"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_header(line, names[i]))
            return true;
    return false;
}

static void add(struct proxy_request *request, const char *bytes, size_t size)
{
    size_t room = sizeof(request->head) - request->head_size;
    size_t count = size < room ? size : room;
    memcpy(request->head + request->head_size, bytes, count);
    request->head_size += count;
}

static void add_text(struct proxy_request *request, const char *text)
{
    add(request, text, strlen(text));
}

/* Says "Host" as the URI does, whatever the client had there (RFC 9112, 3.2.2). */
static void write_head(struct proxy_request *request, struct text method, struct text authority,
                       struct text path, struct text headers)
{
    struct text line;
    request->head_size = 0;
    add(request, method.at, method.length);
    add_text(request, path.length && path.at[0] == '/' ? " " : " /");
    add(request, path.at, path.length);
    add_text(request, " HTTP/1.1\r\nHost: ");
    add(request, authority.at, authority.length);
    add_text(request, "\r\nConnection: close\r\n");
    while (next_line(&headers, &line) && line.length) {
        if (is_dropped(line))
            continue;
        add(request, line.at, line.length);
        add_text(request, "\r\n");
    }
    add_text(request, "\r\n");
}

static enum proxy_progress parse_uri(struct proxy_request *request, struct text method,
                                     struct text uri, struct text headers)
{
    static const char scheme[] = "http://";
    size_t skipped = sizeof(scheme) - 1;
    if (uri.length <= skipped || strncasecmp(uri.at, scheme, skipped) != 0)
        return bad_request(request);
    struct text authority = {uri.at + skipped, uri.length - skipped};
    size_t length = 0;
    while (length < authority.length && !strchr("/?#", authority.at[length]))
        length++;
    struct text path = {authority.at + length, authority.length - length};
    authority.length = length;
    if (!set_target(&request->target, authority, 80))
        return bad_request(request);
    request->kind = PROXY_HTTP;
    write_head(request, method, authority, path, headers);
    return request->head_size < sizeof(request->head) ? PROXY_WHOLE : bad_request(request);
}

static enum proxy_progress parse_http(const char *bytes, size_t size, struct proxy_request *request)
{
    static const char too_long[] =
        ANSWER("431 Request Header Fields Too Large", "the head of the request is too long");
    size_t length = head_length(bytes, size < PROXY_HEAD_LIMIT ? size : PROXY_HEAD_LIMIT);
    if (length == 0)
        return size < PROXY_HEAD_LIMIT ? PROXY_UNFINISHED
                                       : wrong(request, too_long, sizeof(too_long) - 1);
    struct text rest = {bytes, length}, line = rest;
    next_line(&rest, &line);
    const char *end = line.at + line.length;
    const char *first = memchr(line.at, ' ', line.length);
    const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
    if (!second || first == line.at || strncmp(second, " HTTP/1.", 8) != 0)
        return bad_request(request);
    struct text method = {line.at, (size_t)(first - line.at)};
    struct text target = {first + 1, (size_t)(second - first - 1)};
    request->consumed = length;
    if (method.length != 7 || strncmp(method.at, "CONNECT", 7) != 0)
        return parse_uri(request, method, target, rest);
    request->kind = PROXY_CONNECT;
    return set_target(&request->target, target, 0) ? PROXY_WHOLE : bad_request(request);
}

enum proxy_progress proxy_request_parse(const char *bytes, size_t size, bool is_greeted,
                                        struct proxy_request *request)
{
    request->consumed = 0;
    request->reply = NULL;
    request->reply_size = 0;
    if (size == 0)
        return PROXY_UNFINISHED;
    if (is_greeted)
        return parse_socks(bytes, size, request);
    if (bytes[0] == SOCKS_VERSION)
        return parse_greeting(bytes, size, request);
    return parse_http(bytes, size, request);
}
