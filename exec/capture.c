#include "capture.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CHUNK          65536
#define CHUNKS_AT_ONCE 16

int capture_open(struct capture *capture, size_t limit, struct error **error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
        return error_set(error, errno, "cannot make a pipe");
    *capture = (struct capture){.fd = ends[0], .limit = limit};
    return ends[1];
}

/* Only so much at a time: one that never stops printing must not hide that its time is over. */
void capture_read(struct capture *capture)
{
    char chunk[CHUNK];
    for (unsigned count = 0; capture->fd >= 0 && count < CHUNKS_AT_ONCE; count++) {
        ssize_t size = read(capture->fd, chunk, sizeof(chunk));
        if (size < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        if (size <= 0) {
            fd_close(&capture->fd);
            return;
        }
        size_t room = capture->limit - capture->kept.length;
        strbuf_add(&capture->kept, chunk, (size_t)size < room ? (size_t)size : room);
        capture->size += (unsigned long long)size;
    }
}

void capture_finish(struct capture *capture)
{
    unsigned long long before;
    do {
        before = capture->size;
        capture_read(capture);
    } while (capture->fd >= 0 && capture->size > before);
    fd_close(&capture->fd);
}

void capture_free(struct capture *capture)
{
    fd_close(&capture->fd);
    strbuf_free(&capture->kept);
}
