/*
 * Where an HTTP request says it comes from and goes to. A page of the web can make a browser send
 * requests to this host, under a name of its own that it has point here; what it cannot do is to
 * have the browser say another name in Host, or leave out Origin.
 */
#ifndef SCOPEFS_MCP_ORIGIN_H
#define SCOPEFS_MCP_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

struct names {
    const char **items;
    size_t count;
};

/* Whether Host (NULL: it is not there) is localhost, an address, or one of `allowed`; the port is
 * free, since it may have been forwarded. */
bool host_is_ours(const char *host, const struct names *allowed);

/* Whether Origin is not there, is what `host` says, or is one of `allowed`. */
bool origin_is_ours(const char *origin, const char *host, bool has_tls,
                    const struct names *allowed);

#endif
