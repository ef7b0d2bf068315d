#include "relay.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void relay_add(struct relay_flow *flow, const char *bytes, size_t size)
{
    memcpy(flow->bytes + flow->end, bytes, size);
    flow->end += size;
}

static bool can_receive(const struct relay_flow *flow)
{
    return !flow->is_over && flow->end < sizeof(flow->bytes);
}

void relay_want(const struct relay *relay, struct pollfd wanted[2])
{
    for (int i = 0; i < 2; i++) {
        const struct relay_flow *in = &relay->flows[i], *out = &relay->flows[1 - i];
        int events = (can_receive(in) ? POLLIN : 0) | (out->end > out->start ? POLLOUT : 0);
        /* Without any, a connection that was reset would wake poll(2) again and again. */
        wanted[i] = (struct pollfd){.fd = events ? relay->ends[i] : -1, .events = (short)events};
    }
}

static bool receive(struct relay_flow *flow, int fd)
{
    ssize_t size = recv(fd, flow->bytes + flow->end, sizeof(flow->bytes) - flow->end, MSG_DONTWAIT);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    flow->is_over = size == 0;
    flow->end += (size_t)size;
    return true;
}

static bool transmit(struct relay_flow *flow, int fd)
{
    if (flow->end > flow->start) {
        ssize_t size = send(fd, flow->bytes + flow->start, flow->end - flow->start,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0)
            return errno == EAGAIN || errno == EINTR;
        flow->start += (size_t)size;
    }
    if (flow->start == flow->end)
        flow->start = flow->end = 0;
    if (flow->is_over && flow->end == 0 && !flow->was_shut) {
        shutdown(fd, SHUT_WR);
        flow->was_shut = true;
    }
    return true;
}

bool relay_run(struct relay *relay, const struct pollfd ready[2])
{
    for (int i = 0; i < 2; i++)
        if (ready[i].revents && can_receive(&relay->flows[i]) &&
            !receive(&relay->flows[i], relay->ends[i]))
            return false;
    for (int i = 0; i < 2; i++)
        if (!transmit(&relay->flows[i], relay->ends[1 - i]))
            return false;
    return !relay->flows[0].was_shut || !relay->flows[1].was_shut;
}
