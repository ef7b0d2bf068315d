/* The Model Context Protocol over HTTP ("streamable HTTP"), for many scopes in one process. */
#ifndef SCOPEFS_MCP_HTTP_H
#define SCOPEFS_MCP_HTTP_H

#include "listen.h"
#include "origin.h"
#include "scopefs/error.h"

#include <stdbool.h>
#include <stddef.h>

struct http_settings {
    const char *config_file;
    struct listen_place place;
    const char *const *scopes; /* that are served; none: whichever the tokens, or the owner, name */
    size_t scope_count;
    const char *tokens_file;               /* NULL: whoever reaches the socket may use all scopes */
    const char *tls_certificate, *tls_key; /* files; NULL: no TLS */
    struct names hosts, origins;           /* beside the usual ones */
    size_t max_scopes;                     /* at a time */
    size_t max_sessions;                   /* of one scope */
    unsigned long session_idle_ms, scope_idle_ms;
    unsigned long grace_ms; /* how long the end waits for what runs */
};

/* Serves until SIGTERM or SIGINT. 0, or -1 with *error set. */
int http_serve(const struct http_settings *settings, struct error **error);

#endif
