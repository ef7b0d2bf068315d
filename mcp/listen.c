#include "listen.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIX_PREFIX "unix:"
#define BACKLOG     512

static int parse_path(const char *path, struct listen_place *place, struct error **error)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&place->address;
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof(address->sun_path))
        return error_set(error, 0, "the path of a socket has 1 to %zu bytes",
                         sizeof(address->sun_path) - 1);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    place->size = sizeof(*address);
    place->is_unix = true;
    return 0;
}

static bool parse_port(const char *text, in_port_t *port)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || value > 65535)
        return false;
    *port = htons((uint16_t)value);
    return true;
}

static bool parse_ipv4(const char *text, struct listen_place *place)
{
    struct sockaddr_in *address = (struct sockaddr_in *)&place->address;
    address->sin_family = AF_INET;
    place->size = sizeof(*address);
    if (inet_pton(AF_INET, text, &address->sin_addr) != 1)
        return false;
    place->is_loopback = ntohl(address->sin_addr.s_addr) >> 24 == 127;
    return true;
}

static bool parse_ipv6(char *text, struct listen_place *place)
{
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)&place->address;
    size_t length = strlen(text);
    address->sin6_family = AF_INET6;
    place->size = sizeof(*address);
    if (length < 2 || text[length - 1] != ']')
        return false;
    text[length - 1] = '\0';
    if (inet_pton(AF_INET6, text + 1, &address->sin6_addr) != 1)
        return false;
    place->is_loopback = IN6_IS_ADDR_LOOPBACK(&address->sin6_addr);
    return true;
}

int listen_parse(const char *text, struct listen_place *place, struct error **error)
{
    *place = (struct listen_place){0};
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return parse_path(text + strlen(UNIX_PREFIX), place, error);
    cleanup_free char *host = xstrdup(text);
    char *colon = strrchr(host, ':');
    in_port_t port = 0;
    if (colon)
        *colon = '\0';
    if (!colon || !parse_port(colon + 1, &port) ||
        !(host[0] == '[' ? parse_ipv6(host, place) : parse_ipv4(host, place)))
        return error_set(error, 0,
                         "'%s' is no place to listen; write 127.0.0.1:PORT, [::1]:PORT or "
                         "unix:PATH",
                         text);
    if (place->address.ss_family == AF_INET)
        ((struct sockaddr_in *)&place->address)->sin_port = port;
    else
        ((struct sockaddr_in6 *)&place->address)->sin6_port = port;
    return 0;
}

static const char *path_of(const struct listen_place *place)
{
    return ((const struct sockaddr_un *)&place->address)->sun_path;
}

/* Only a socket of our own that nobody listens to. */
static int remove_dead(const struct listen_place *place, struct error **error)
{
    struct stat status;
    const char *path = path_of(place);
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : error_set(error, errno, "%s", path);
    if (!S_ISSOCK(status.st_mode) || status.st_uid != geteuid())
        return error_set(error, 0, "%s is there and is no socket of yours", path);
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&place->address, place->size) < 0 &&
        errno == ECONNREFUSED && unlink(path) == 0)
        return 0;
    return error_set(error, 0, "somebody listens at %s already", path);
}

static int bind_to(int fd, const struct listen_place *place)
{
    static const int yes = 1;
    if (place->is_unix) {
        mode_t before = umask(0177);
        int result = bind(fd, (const struct sockaddr *)&place->address, place->size);
        umask(before);
        return result;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
    return bind(fd, (const struct sockaddr *)&place->address, place->size);
}

int listen_open(const struct listen_place *place, struct error **error)
{
    if (place->is_unix && remove_dead(place, error) < 0)
        return -1;
    cleanup_fd int fd =
        socket(place->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind_to(fd, place) < 0 || listen(fd, BACKLOG) < 0)
        return error_set(error, errno, "cannot listen");
    return fd_steal(&fd);
}

void listen_announce(const struct listen_place *place, int fd, bool has_tls)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    char host[INET6_ADDRSTRLEN], port[sizeof("65535")];
    bool is_ipv6 = place->address.ss_family == AF_INET6;
    if (place->is_unix)
        log_info("listening at %s", path_of(place));
    else if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
             getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
                         NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        log_info("listening at %s://%s%s%s:%s", has_tls ? "https" : "http", is_ipv6 ? "[" : "",
                 host, is_ipv6 ? "]" : "", port);
}

void listen_remove(const struct listen_place *place)
{
    if (place->is_unix)
        unlink(path_of(place));
}
