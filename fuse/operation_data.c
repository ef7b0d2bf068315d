#include "operations.h"

#include "budget.h"
#include "guard.h"
#include "open_data.h"

#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

void operation_read(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset,
                    struct fuse_file_info *info)
{
    cleanup_open_data struct open_data open = open_data_find(view_of(request), id, info, WANT_READ);
    cleanup_rules_lock struct view *view = view_share_rules(view_of(request));
    (void)view;
    int failed = open_data_check(&open, WANT_READ, "read");
    if (failed) {
        fuse_reply_err(request, failed);
        return;
    }
    struct fuse_bufvec data = FUSE_BUFVEC_INIT(size);
    data.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
    data.buf[0].fd = open.fd;
    data.buf[0].pos = offset;
    fuse_reply_data(request, &data, FUSE_BUF_SPLICE_MOVE);
}

/* One atomic append at the end of the file as the source has it now, whatever the kernel thinks its
 * size is: appends through several views are all kept. */
static ssize_t append(int fd, struct fuse_bufvec *from)
{
    size_t size = fuse_buf_size(from);
    cleanup_free char *bytes = malloc(size ? size : 1);
    if (!bytes)
        return -ENOMEM;
    struct fuse_bufvec memory = FUSE_BUFVEC_INIT(size);
    memory.buf[0].mem = bytes;
    ssize_t got = fuse_buf_copy(&memory, from, 0);
    if (got < 0)
        return got;
    struct iovec vector = {.iov_base = bytes, .iov_len = (size_t)got};
    ssize_t put = pwritev2(fd, &vector, 1, 0, RWF_APPEND);
    return put < 0 ? -errno : put;
}

static ssize_t write_at(int fd, struct fuse_bufvec *from, off_t offset)
{
    struct fuse_bufvec to = FUSE_BUFVEC_INIT(fuse_buf_size(from));
    to.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
    to.buf[0].fd = fd;
    to.buf[0].pos = offset;
    return fuse_buf_copy(&to, from, 0);
}

void operation_write_buf(fuse_req_t request, fuse_ino_t id, struct fuse_bufvec *from, off_t offset,
                         struct fuse_file_info *info)
{
    cleanup_open_data struct open_data open =
        open_data_find(view_of(request), id, info, WANT_CHANGE);
    cleanup_rules_lock struct view *view = view_share_rules(view_of(request));
    int failed = open_data_check(&open, WANT_CHANGE, "write");
    if (failed) {
        fuse_reply_err(request, failed);
        return;
    }
    bool appends = (info->flags & O_APPEND) && !info->writepage;
    size_t size = fuse_buf_size(from);
    cleanup_budget_change struct budget_change change;
    failed = budget_change(view->budget, open.fd, appends ? BUDGET_APPEND : offset + (off_t)size,
                           size, &change);
    if (failed) {
        fuse_reply_err(request, failed);
        return;
    }
    ssize_t put = appends ? append(open.fd, from) : write_at(open.fd, from, offset);
    budget_settle(&change);
    failed = put < 0 ? (int)-put : open_data_close(&open);
    if (failed)
        fuse_reply_err(request, failed);
    else
        fuse_reply_write(request, (size_t)put);
}

void operation_fsync(fuse_req_t request, fuse_ino_t id, int data_only, struct fuse_file_info *info)
{
    cleanup_open_data struct open_data open = open_data_find(view_of(request), id, info, WANT_SEE);
    cleanup_rules_lock struct view *view = view_share_rules(view_of(request));
    (void)view;
    int failed = open_data_check(&open, WANT_SEE, "fsync");
    if (!failed)
        failed = (data_only ? fdatasync(open.fd) : fsync(open.fd)) < 0 ? errno : 0;
    fuse_reply_err(request, failed);
}

void operation_fallocate(fuse_req_t request, fuse_ino_t id, int mode, off_t offset, off_t length,
                         struct fuse_file_info *info)
{
    cleanup_open_data struct open_data open =
        open_data_find(view_of(request), id, info, WANT_CHANGE);
    cleanup_rules_lock struct view *view = view_share_rules(view_of(request));
    int failed = open_data_check(&open, WANT_CHANGE, "fallocate");
    cleanup_budget_change struct budget_change change = {0};
    if (!failed && !(mode & FALLOC_FL_PUNCH_HOLE))
        failed = budget_change(view->budget, open.fd, offset + length, 0, &change);
    if (!failed)
        failed = fallocate(open.fd, mode, offset, length) < 0 ? errno : 0;
    fuse_reply_err(request, failed);
}

void operation_lseek(fuse_req_t request, fuse_ino_t id, off_t offset, int whence,
                     struct fuse_file_info *info)
{
    cleanup_open_data struct open_data open = open_data_find(view_of(request), id, info, WANT_READ);
    cleanup_rules_lock struct view *view = view_share_rules(view_of(request));
    (void)view;
    int failed = open_data_check(&open, WANT_READ, "lseek");
    off_t found = failed ? -1 : lseek(open.fd, offset, whence);
    if (failed || found < 0)
        fuse_reply_err(request, failed ? failed : errno);
    else
        fuse_reply_lseek(request, found);
}

/* The kernel may ask for far more than there is to copy. */
static int limit_copy(int fd, off_t offset, size_t *length)
{
    struct stat found;
    if (fstat(fd, &found) < 0)
        return errno;
    size_t left = found.st_size > offset ? (size_t)(found.st_size - offset) : 0;
    *length = left < *length ? left : *length;
    return 0;
}

void operation_copy_file_range(fuse_req_t request, fuse_ino_t in, off_t in_offset,
                               struct fuse_file_info *in_info, fuse_ino_t out, off_t out_offset,
                               struct fuse_file_info *out_info, size_t length, int flags)
{
    cleanup_open_data struct open_data from =
        open_data_find(view_of(request), in, in_info, WANT_READ);
    cleanup_open_data struct open_data to =
        open_data_find(view_of(request), out, out_info, WANT_CHANGE);
    cleanup_rules_lock struct view *view = view_share_rules(view_of(request));
    int failed = open_data_check(&from, WANT_READ, "copy_file_range");
    if (!failed)
        failed = open_data_check(&to, WANT_CHANGE, "copy_file_range");
    cleanup_budget_change struct budget_change change = {0};
    if (!failed)
        failed = limit_copy(from.fd, in_offset, &length);
    if (!failed)
        failed = budget_change(view->budget, to.fd, out_offset + (off_t)length, 0, &change);
    ssize_t copied =
        failed ? -1
               : copy_file_range(from.fd, &in_offset, to.fd, &out_offset, length, (unsigned)flags);
    if (failed || copied < 0)
        fuse_reply_err(request, failed ? failed : errno);
    else
        fuse_reply_write(request, (size_t)copied);
}
