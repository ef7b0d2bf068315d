/* Going through a tree of the workspace, in the order of the names. */
#ifndef SCOPEFS_MCP_WALK_H
#define SCOPEFS_MCP_WALK_H

#include "call.h"

#include <stdbool.h>
#include <stddef.h>

enum walk_kind { WALK_FILE, WALK_DIRECTORY, WALK_OTHER };

struct walk_entry {
    const char *path; /* below where the walk began */
    const char *name; /* its last component */
    enum walk_kind kind;
    size_t depth; /* 0: an entry of the directory where it began */
};

enum walk_answer {
    WALK_ON,
    WALK_SKIP, /* do not go into this directory */
    WALK_END,
};

typedef enum walk_answer walk_visitor(void *context, const struct walk_entry *entry);

/* Visits all that is below the directory `start` of the workspace; follows no links. What cannot be
 * opened is left out. 0, or -1 with the call failed or cancelled. */
int walk(struct call *call, const char *start, walk_visitor *visit, void *context);

#endif
