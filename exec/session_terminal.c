#include "session_terminal.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void session_terminal_read(struct session_terminal *terminal)
{
    char bytes[4096];
    ssize_t size = read(terminal->master, bytes, sizeof(bytes));
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    /* EIO when nobody inside has it open any more. */
    if (size <= 0) {
        fd_close(&terminal->master);
        return;
    }
    size_t added = (size_t)size;
    if (!terminal->past)
        terminal->past = xmalloc(SESSION_PAST);
    if (terminal->length + added > SESSION_PAST) {
        size_t kept = SESSION_PAST / 2 < terminal->length ? SESSION_PAST / 2 : terminal->length;
        memmove(terminal->past, terminal->past + terminal->length - kept, kept);
        terminal->length = kept;
    }
    memcpy(terminal->past + terminal->length, bytes, added);
    terminal->length += added;
}

int session_terminal_give(struct session_terminal *terminal, const struct session_caller *caller)
{
    struct session_message message = {.kind = SESSION_STARTED};
    cleanup_fd int past = memfd_create("scopefs-exec", MFD_CLOEXEC);
    if (past < 0 || fd_write_all(past, terminal->past, terminal->length) < 0)
        return -1;
    terminal->length = 0;
    const int fds[] = {terminal->master, past};
    return session_send(caller->socket, &message, fds, 2);
}

void session_terminal_free(struct session_terminal *terminal)
{
    fd_close(&terminal->master);
    free(terminal->past);
    terminal->past = NULL;
}
