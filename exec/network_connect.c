#include "network_connect.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* For each of a host's addresses. */
#define CONNECT_MS 10000

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* Mapped addresses as those of IPv4 that they are. Returns the size. */
static socklen_t make_address(union address *to, const struct in6_addr *from, unsigned port)
{
    *to = (union address){0};
    if (!IN6_IS_ADDR_V4MAPPED(from)) {
        to->six = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = *from};
        return sizeof(to->six);
    }
    to->four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    memcpy(&to->four.sin_addr, from->s6_addr + 12, sizeof(to->four.sin_addr));
    return sizeof(to->four);
}

static bool read_address(const struct sockaddr *from, struct in6_addr *to)
{
    const union address *address = (const union address *)(const void *)from;
    *to = (struct in6_addr){0};
    if (from->sa_family == AF_INET6) {
        *to = address->six.sin6_addr;
        return true;
    }
    to->s6_addr[10] = to->s6_addr[11] = 0xff;
    memcpy(to->s6_addr + 12, &address->four.sin_addr, sizeof(address->four.sin_addr));
    return from->sa_family == AF_INET;
}

static bool resolve(const char *name, struct network_lookup *found)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    found->count = 0;
    if (getaddrinfo(name, NULL, &wanted, &list) != 0)
        return false;
    for (const struct addrinfo *item = list; item && found->count < NETWORK_MAX_ADDRESSES;
         item = item->ai_next)
        if (read_address(item->ai_addr, &found->addresses[found->count]))
            found->count++;
    freeaddrinfo(list);
    return true;
}

/* The way from this host to its own address begins at that address. Nothing is sent. */
static bool is_own(const struct in6_addr *address)
{
    union address there, here = {0};
    struct in6_addr source;
    socklen_t size = make_address(&there, address, 9), room = sizeof(here);
    cleanup_fd int fd = socket(there.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, &there.any, size) == 0 &&
           getsockname(fd, &here.any, &room) == 0 && read_address(&here.any, &source) &&
           memcmp(&source, address, sizeof(source)) == 0;
}

const struct network_world network_real_world = {resolve, is_own};

static int connect_one(const struct in6_addr *target, unsigned port)
{
    union address address;
    socklen_t size = make_address(&address, target, port), room = sizeof(int);
    int enabled = 1, failure = 0;
    cleanup_fd int fd =
        socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &enabled, sizeof(enabled));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &enabled, sizeof(enabled));
    if (connect(fd, &address.any, size) == 0)
        return fd_steal(&fd);
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    if (errno != EINPROGRESS)
        return -1;
    if (poll(&ready, 1, CONNECT_MS) != 1) {
        errno = ETIMEDOUT;
        return -1;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &room) < 0)
        return -1;
    errno = failure;
    return failure ? -1 : fd_steal(&fd);
}

int network_connect(const struct network_lookup *targets, unsigned port)
{
    int fd = -1;
    for (size_t i = 0; fd < 0 && i < targets->count; i++)
        fd = connect_one(&targets->addresses[i], port);
    return fd;
}
