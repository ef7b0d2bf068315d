#include "session_protocol.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union descriptors {
    char bytes[CMSG_SPACE(SESSION_DESCRIPTORS * sizeof(int))];
    struct cmsghdr header;
};

int session_send(int socket, struct session_message *message, const int *fds, size_t count)
{
    union descriptors control = {0};
    struct iovec part = {.iov_base = message, .iov_len = sizeof(*message)};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    message->protocol = SESSION_PROTOCOL;
    if (count > 0) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    }
    ssize_t size;
    do {
        size = sendmsg(socket, &packet, MSG_NOSIGNAL);
    } while (size < 0 && errno == EINTR);
    return size == (ssize_t)sizeof(*message) ? 0 : -1;
}

static void take_descriptors(struct msghdr *packet, int *fds, size_t count)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(packet); part; part = CMSG_NXTHDR(packet, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t got = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < got; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
            if (i < count && fds[i] < 0)
                fds[i] = fd;
            else
                fd_close(&fd);
        }
    }
}

bool session_receive(int socket, struct session_message *message, int *fds, size_t count)
{
    union descriptors control = {0};
    struct iovec part = {.iov_base = message, .iov_len = sizeof(*message)};
    struct msghdr packet = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = count ? control.bytes : NULL,
        .msg_controllen = count ? sizeof(control.bytes) : 0,
    };
    for (size_t i = 0; i < count; i++)
        fds[i] = -1;
    ssize_t size;
    do {
        size = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size < 0)
        return false;
    take_descriptors(&packet, fds, count);
    errno = size == 0 ? 0 : EPROTO;
    if (size != (ssize_t)sizeof(*message) || message->protocol != SESSION_PROTOCOL) {
        for (size_t i = 0; i < count; i++)
            fd_close(&fds[i]);
        return false;
    }
    message->text[sizeof(message->text) - 1] = '\0';
    return true;
}
