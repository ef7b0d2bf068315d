#include "channel.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>

enum { SIZE_LIMIT = 64 * 1024 * 1024 };

struct header {
    uint32_t kind, size;
};

int channel_send(int fd, enum message_kind kind, const void *bytes, size_t size)
{
    struct header header = {(uint32_t)kind, (uint32_t)size};
    if (size > SIZE_LIMIT) {
        errno = EMSGSIZE;
        return -1;
    }
    if (fd_write_all(fd, &header, sizeof(header)) < 0)
        return -1;
    return fd_write_all(fd, bytes, size);
}

int channel_receive(int fd, struct message *message)
{
    struct header header;
    *message = (struct message){0};
    if (fd_read_all(fd, &header, sizeof(header)) < 0)
        return -1;
    if (header.kind > MESSAGE_REFUSED || header.size > SIZE_LIMIT) {
        errno = EPROTO;
        return -1;
    }
    cleanup_free char *bytes = xmalloc(header.size + 1u);
    if (fd_read_all(fd, bytes, header.size) < 0)
        return -1;
    bytes[header.size] = '\0';
    message->kind = (enum message_kind)header.kind;
    message->size = header.size;
    message->bytes = steal_pointer(bytes);
    return 0;
}

void message_free(struct message *message)
{
    free(message->bytes);
    *message = (struct message){0};
}
