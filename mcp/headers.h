/*
 * Of revision 2026-07-28 on, HTTP's headers repeat what a request says, so that what stands between
 * need not read it. Somebody might then decide by the one and we by the other: they must agree.
 */
#ifndef SCOPEFS_MCP_HEADERS_H
#define SCOPEFS_MCP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

struct headers {
    char *text; /* what the others point into */
    bool is_there;
    const char *version, *method, *name; /* NULL: the header is not there */
};

/* Takes what client_receive was given: for each of the three '+' or '-', and its text with a NUL.
 */
void headers_read(struct headers *headers, const char *bytes, size_t size);

/* The name of the header that is not what the request says, or NULL. `name` is NULL where no name
 * is repeated, `version` where it is no string. */
const char *headers_mismatch(const struct headers *headers, const char *version, const char *method,
                             const char *name);

void headers_clear(struct headers *headers);

#endif
