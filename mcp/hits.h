/* What a search in files has found, by whichever engine. */
#ifndef SCOPEFS_MCP_HITS_H
#define SCOPEFS_MCP_HITS_H

#include "call.h"

#include <stdbool.h>
#include <stddef.h>

enum hits_mode { HITS_FILES, HITS_LINES, HITS_COUNTS };

struct hit {
    const char
        *path;    /* relative to where the search began; in `bytes` of the hits, or kept there */
    size_t order; /* in which it was found */
    size_t line;  /* from 1; of HITS_COUNTS how many */
    const char *text;
    size_t length;
    bool is_context; /* a line around a match */
};

struct hits {
    enum hits_mode mode;
    struct strbuf bytes; /* does not move any more once hits point into it */
    struct hit *items;
    size_t count, room;
    bool is_incomplete; /* there was more than can be kept */
    char **paths;       /* owned */
    size_t path_count;
};

/* What one search keeps of what is found. */
#define HITS_BYTES (32U << 20)
#define HITS_COUNT 200000

struct grep_request {
    const char *pattern;
    const char *start; /* path in the workspace */
    const char *files; /* a pattern of names, or NULL */
    json_t *excluded;  /* a list of patterns */
    bool skip_hidden, ignore_case, is_literal;
    long long before, after; /* lines of context */
};

void hits_add(struct hits *hits, const struct hit *hit);

/* Keeps a copy of the text until the hits are freed. */
const char *hits_keep(struct hits *hits, const char *text);

/* By path, and within a file as they were found. */
void hits_sort(struct hits *hits);

void hits_free(struct hits *hits);

/* The engines: 0, -1 with the call failed or cancelled; ripgrep_search also 1 when ripgrep is not
 * installed. */
int ripgrep_search(struct call *call, const struct grep_request *request, struct hits *hits);
int pcre_search(struct call *call, const struct grep_request *request, struct hits *hits);

#endif
