/*
 * What scopefs-mcp, outside, and its worker, in the sandbox of a scope, say to each other over one
 * stream socket: a header of fixed size, and bytes. Outside nothing of the Model Context Protocol
 * is understood; what comes from the worker is checked as what it is, the word of an agent.
 */
#ifndef SCOPEFS_MCP_FRAME_H
#define SCOPEFS_MCP_FRAME_H

#include "scopefs/strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a JSON-RPC message that a client may send. */
#define MESSAGE_LIMIT (16U << 20)
/* Of any frame: a message in which every byte had to be escaped. */
#define FRAME_LIMIT (128U << 20)

enum frame_type {
    /* To the worker. */
    FRAME_OPEN = 1,  /* a client came: `session` is a new number */
    FRAME_MESSAGE,   /* both ways: one JSON-RPC message, or a batch, without a newline */
    FRAME_OVERSIZED, /* a message was larger than MESSAGE_LIMIT and was dropped */
    FRAME_CLOSE,     /* the client is gone */
    FRAME_JOB_ASK,   /* a rule wants somebody to be asked about the job: the command line */
    FRAME_JOB_STARTED,
    FRAME_JOB_OUTPUT, /* what it printed; FRAME_ERRORS: on standard error */
    FRAME_JOB_ENDED,  /* the report of scopefs-exec, see scopefs-exec(1); nothing runs any more */
    /* From the worker. */
    FRAME_READY,
    FRAME_JOB_START,  /* see struct job_request */
    FRAME_JOB_ANSWER, /* FRAME_YES: somebody allowed it */
    FRAME_JOB_KILL,
    FRAME_SHELL_CLOSE, /* the name of a shell, as in struct job_request, that is not used any more
                        */
    /* To the worker. */
    FRAME_HEADERS, /* what HTTP said beside the next message of the session: see struct mirrored */
    FRAME_CANCEL,  /* nobody waits any more for what the exchange would give */
};

enum frame_flags {
    FRAME_LAST = 1,   /* of a message: nothing more comes for its exchange */
    FRAME_ERRORS = 2, /* of FRAME_JOB_OUTPUT */
    FRAME_YES = 4,    /* of FRAME_JOB_ANSWER */
    FRAME_JSON = 8,   /* of a message with FRAME_LAST: it is the answer, not only an end */
    /* Of an answer, at most one of them: */
    FRAME_BEGINS = 16,    /* it begins a session */
    FRAME_REFUSES = 32,   /* it is an error: the message cannot be what it says */
    FRAME_NO_METHOD = 64, /* it is an error: there is no such method, and HTTP shall say so */
};

struct frame {
    uint32_t length; /* of the bytes behind it */
    uint16_t type;
    uint16_t flags;
    uint32_t session;
    uint32_t job;
    uint64_t exchange; /* which incoming message this belongs to; 0: none */
};

/* Writes all of it. 0, or -1 with errno. The caller sees to it that nobody else writes. */
int frame_write(int fd, const struct frame *frame, const void *bytes);

/* What was read and not yet taken. */
struct frame_input {
    struct strbuf buffer;
    size_t taken;
};

/* Reads once what is there. 1, 0 at the end of the stream, or -1 with errno. */
int frame_input_fill(struct frame_input *input, int fd);

/* 1 with the next frame and its bytes (valid until the next fill), 0 when more must be read, -1 for
 * what no frame can be. */
int frame_input_next(struct frame_input *input, struct frame *frame, const char **bytes);

void frame_input_free(struct frame_input *input);

#endif
