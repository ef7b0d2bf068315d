/*
 * Bytes between two connected sockets, both ways, through buffers of fixed size. Each direction
 * ends by itself: one side may have said all while the other still answers. For descriptors that do
 * not block.
 */
#ifndef SCOPEFS_EXEC_RELAY_H
#define SCOPEFS_EXEC_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define RELAY_BUFFER 16384

struct relay_flow {
    size_t start, end; /* of what was received and is not sent yet */
    bool is_over;      /* the sender has ended */
    bool was_shut;     /* and the receiver was told */
    char bytes[RELAY_BUFFER];
};

struct relay {
    int ends[2];                /* borrowed */
    struct relay_flow flows[2]; /* flows[i] is from ends[i] to the other one */
};

/* Puts bytes into a flow before all others. They must fit. */
void relay_add(struct relay_flow *flow, const char *bytes, size_t size);

/* What to poll for. */
void relay_want(const struct relay *relay, struct pollfd wanted[2]);

/* Moves what can be moved. False when both directions are over, or one end is broken. */
bool relay_run(struct relay *relay, const struct pollfd ready[2]);

#endif
