/* Owned file descriptors: closed at the end of their block unless stolen. -1 owns nothing. */
#ifndef SCOPEFS_FD_H
#define SCOPEFS_FD_H

#include <stdbool.h>
#include <stddef.h>

/* Closes an fd variable at the end of its block and keeps errno: `cleanup_fd int fd = -1;`. */
#define cleanup_fd __attribute__((cleanup(fd_cleanup)))

void fd_cleanup(int *fd);

/* Gives away what the variable holds and leaves -1 in it. */
int fd_steal(int *fd);

/* Closes and leaves -1; errno is kept. */
void fd_close(int *fd);

/* Reads or writes all `size` bytes, across EINTR and short transfers. 0, or -1 with errno;
 * fd_read_all sets ENODATA when the file ends early. */
int fd_read_all(int fd, void *buffer, size_t size);
int fd_write_all(int fd, const void *buffer, size_t size);

/* Reads a regular file of at most `limit` bytes. On success *contents (NUL-terminated behind the
 * last byte, owned by the caller) and *size are set. 0, or -1 with errno: EFBIG over the limit. */
int fd_read_file(int fd, size_t limit, char **contents, size_t *size);

#endif
