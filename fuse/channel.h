/* Messages between the supervisor of a view and its server, over a stream socket. */
#ifndef SCOPEFS_FUSE_CHANNEL_H
#define SCOPEFS_FUSE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

enum message_kind {
    MESSAGE_READY,    /* server: the kernel has said hello */
    MESSAGE_POLICY,   /* supervisor: enforce this packed policy from now on */
    MESSAGE_COUNTERS, /* supervisor: tell your counters */
    MESSAGE_DONE,     /* server: the answer to the last request, with its text */
    MESSAGE_REFUSED,  /* server: the last request failed; the text says why */
};

struct message {
    enum message_kind kind;
    char *bytes; /* NUL-terminated behind `size`; owned by the message */
    size_t size;
};

/* 0, or -1 with errno. */
int channel_send(int fd, enum message_kind kind, const void *bytes, size_t size);

/* 0 and *message, or -1 with errno: ENODATA when the other side is gone, EPROTO for nonsense. */
int channel_receive(int fd, struct message *message);

void message_free(struct message *message);

#endif
