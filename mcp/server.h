/*
 * The Model Context Protocol without a transport: frames with JSON-RPC messages of any number of
 * clients go in, frames with what is to be sent to them come out of a sink, from any thread. Tools
 * work on one workspace, whose root is an open directory.
 */
#ifndef SCOPEFS_MCP_SERVER_H
#define SCOPEFS_MCP_SERVER_H

#include "frame.h"

#include <stddef.h>

/* Is called from several threads at once; the bytes are valid during the call. */
typedef void frame_sink(void *context, const struct frame *frame, const void *bytes);

struct server_settings {
    const char *workspace; /* how clients call the root: "/workspace" */
    int root;              /* a directory, borrowed */
    size_t page_size;      /* of tools/list; 0: the usual one */
    size_t threads;        /* at most as many calls run at once; 0: the usual number */
    frame_sink *sink;
    void *context;
};

struct server;

struct server *server_new(const struct server_settings *settings);

/* Takes in one frame. To be called by one thread only. */
void server_take(struct server *server, const struct frame *frame, const char *bytes);

/* Waits until no call runs. */
void server_settle(struct server *server);

/* Cancels what runs, waits for it, and forgets everything. */
void server_free(struct server *server);

#endif
