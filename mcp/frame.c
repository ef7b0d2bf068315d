#include "frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_SIZE 65536

int frame_write(int fd, const struct frame *frame, const void *bytes)
{
    struct frame header = *frame;
    struct iovec parts[2] = {{&header, sizeof(header)}, {(void *)(uintptr_t)bytes, frame->length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    while (parts[0].iov_len + parts[1].iov_len > 0) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -1;
        for (size_t i = 0, left = (size_t)sent; i < 2; i++) {
            size_t part = left < parts[i].iov_len ? left : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + part;
            parts[i].iov_len -= part;
            left -= part;
        }
    }
    return 0;
}

static void drop_taken(struct frame_input *input)
{
    if (!input->taken)
        return;
    input->buffer.length -= input->taken;
    memmove(input->buffer.bytes, input->buffer.bytes + input->taken, input->buffer.length);
    input->taken = 0;
}

int frame_input_fill(struct frame_input *input, int fd)
{
    char bytes[READ_SIZE];
    drop_taken(input);
    if (input->buffer.length == 0 && input->buffer.room > 4 * READ_SIZE)
        strbuf_free(&input->buffer);
    ssize_t size = read(fd, bytes, sizeof(bytes));
    if (size < 0)
        return errno == EINTR || errno == EAGAIN ? 1 : -1;
    strbuf_add(&input->buffer, bytes, (size_t)size);
    return size > 0;
}

int frame_input_next(struct frame_input *input, struct frame *frame, const char **bytes)
{
    size_t left = input->buffer.length - input->taken;
    if (left < sizeof(*frame))
        return 0;
    const char *start = input->buffer.bytes + input->taken;
    memcpy(frame, start, sizeof(*frame));
    if (frame->length > FRAME_LIMIT)
        return -1;
    if (left < sizeof(*frame) + frame->length)
        return 0;
    *bytes = start + sizeof(*frame);
    input->taken += sizeof(*frame) + frame->length;
    return 1;
}

void frame_input_free(struct frame_input *input)
{
    strbuf_free(&input->buffer);
    input->taken = 0;
}
