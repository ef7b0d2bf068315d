#include "init_reply.h"

#if !defined(FUSE_CAP_HANDLE_KILLPRIV_V2) && FUSE_VERSION >= FUSE_MAKE_VERSION(3, 14)

#include "scopefs/log.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <sys/uio.h>
#include <unistd.h>

struct init_request {
    struct fuse_in_header header;
    struct fuse_init_in body;
};

static ssize_t read_request(int fd, void *bytes, size_t size, void *data)
{
    struct view *view = data;
    const struct init_request *request = bytes;
    ssize_t got = read(fd, bytes, size);
    if (got >= (ssize_t)sizeof(request->header) && request->header.opcode == FUSE_INIT &&
        (size_t)got >= offsetof(struct init_request, body.flags) + sizeof(request->body.flags) &&
        (request->body.flags & FUSE_HANDLE_KILLPRIV_V2))
        atomic_store(&view->init_request, request->header.unique);
    return got;
}

static ssize_t write_reply(int fd, struct iovec *parts, int count, void *data)
{
    struct view *view = data;
    uint64_t expected = atomic_load_explicit(&view->init_request, memory_order_relaxed);
    const struct fuse_out_header *header = parts[0].iov_base;
    if (expected && count == 2 && header->unique == expected && header->error == 0 &&
        parts[1].iov_len >= offsetof(struct fuse_init_out, max_background)) {
        struct fuse_init_out *reply = parts[1].iov_base;
        reply->flags |= FUSE_HANDLE_KILLPRIV_V2;
        atomic_store(&view->init_request, 0);
    }
    return writev(fd, parts, count);
}

static ssize_t splice_data(int from, off_t *from_offset, int to, off_t *to_offset, size_t size,
                           unsigned flags, void *data)
{
    (void)data;
    return splice(from, from_offset, to, to_offset, size, flags);
}

void init_reply_prepare(struct view *view)
{
    static const struct fuse_custom_io io = {
        .writev = write_reply,
        .read = read_request,
        .splice_receive = splice_data,
        .splice_send = splice_data,
    };
    if (fuse_session_custom_io(view->session, &io, fuse_session_fd(view->session)) < 0)
        log_warning("%s: each write will be asked about twice", view->name);
}

#else

void init_reply_prepare(struct view *view)
{
    (void)view;
}

#endif
