#include "audit_feed.h"

#include "scopefs/fd.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

bool audit_feeds_are_full(const struct audit_feeds *feeds)
{
    return feeds->count == AUDIT_FEEDS;
}

void audit_feeds_add(struct audit_feeds *feeds, int fd)
{
    feeds->lost[feeds->count] = 0;
    feeds->fds[feeds->count++] = fd;
}

void audit_feeds_want(const struct audit_feeds *feeds, struct pollfd wanted[AUDIT_FEEDS])
{
    for (size_t i = 0; i < AUDIT_FEEDS; i++)
        wanted[i] = (struct pollfd){.fd = i < feeds->count ? feeds->fds[i] : -1, .events = POLLIN};
}

bool audit_feeds_have_ended(const struct audit_feeds *feeds, const struct pollfd *ready)
{
    for (size_t i = 0; i < feeds->count; i++)
        if (ready[i].revents)
            return true;
    return false;
}

void audit_feeds_finish(struct audit_feeds *feeds, const struct pollfd *ready)
{
    /* From the end, because the last one takes the place of one that is done. */
    for (size_t i = feeds->count; i-- > 0;) {
        if (!ready[i].revents)
            continue;
        (void)!send(feeds->fds[i], ".\n", 2, MSG_DONTWAIT | MSG_NOSIGNAL);
        fd_close(&feeds->fds[i]);
        feeds->count--;
        feeds->fds[i] = feeds->fds[feeds->count];
        feeds->lost[i] = feeds->lost[feeds->count];
    }
}

static unsigned long namespace_of(long process)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof(path), "/proc/%ld/ns/pid", process);
    return process > 0 && stat(path, &status) == 0 ? (unsigned long)status.st_ino : 0;
}

/* Whole or not at all: a line is shorter than what a socket holds. */
static void tell(struct audit_feeds *feeds, size_t number, unsigned long space,
                 const struct audit_line *line)
{
    cleanup_strbuf struct strbuf text = {0};
    struct audit_line own = *line;
    own.dropped += feeds->lost[number];
    strbuf_add_format(&text, "%lu ", space);
    audit_line_write(&own, &text);
    if (send(feeds->fds[number], text.bytes, text.length, MSG_DONTWAIT | MSG_NOSIGNAL) ==
        (ssize_t)text.length)
        feeds->lost[number] = 0;
    else
        feeds->lost[number] = own.dropped + 1;
}

void audit_feeds_tell(struct audit_feeds *feeds, const struct audit_line *line)
{
    unsigned long space = feeds->count ? namespace_of(line->process) : 0;
    for (size_t i = 0; i < feeds->count; i++)
        tell(feeds, i, space, line);
}

void audit_feeds_close(struct audit_feeds *feeds)
{
    for (size_t i = 0; i < feeds->count; i++)
        fd_close(&feeds->fds[i]);
    feeds->count = 0;
}
