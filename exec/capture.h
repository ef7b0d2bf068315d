/* What a command prints, read from a pipe: the first bytes are kept, all are counted. */
#ifndef SCOPEFS_EXEC_CAPTURE_H
#define SCOPEFS_EXEC_CAPTURE_H

#include "scopefs/error.h"
#include "scopefs/strbuf.h"

#include <stddef.h>

struct capture {
    int fd; /* the pipe's end to read from; -1: nothing is captured, or all has come */
    struct strbuf kept;
    unsigned long long size; /* of all that was printed */
    size_t limit;            /* how much is kept */
};

/* Makes the pipe. Returns the end to write to, or -1 with *error set. */
int capture_open(struct capture *capture, size_t limit, struct error **error);

/* Takes what is there, without waiting. */
void capture_read(struct capture *capture);

/* Takes the rest, when nobody writes any more, and closes the pipe. */
void capture_finish(struct capture *capture);

void capture_free(struct capture *capture);

#endif
