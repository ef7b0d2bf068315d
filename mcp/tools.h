/* The tools: one table that is the only source of their names, schemas and handlers. */
#ifndef SCOPEFS_MCP_TOOLS_H
#define SCOPEFS_MCP_TOOLS_H

#include "arguments.h"
#include "call.h"

#include <jansson.h>
#include <stdbool.h>

#define TOOLS_PAGE_SIZE 64

typedef void tool_handler(struct call *call);

/* What a tool does to the world, for clients that ask their user. Nothing outside of the workspace
 * is ever reached but by commands. */
enum tool_nature {
    TOOL_READS = 1,
    TOOL_DESTROYS = 2,   /* may take away what was there */
    TOOL_IDEMPOTENT = 4, /* again with the same arguments changes nothing more */
    TOOL_OPEN = 8,       /* what it does may reach beyond the workspace */
};

struct tool {
    const char *name;
    const char *title;
    const char *description;
    const struct argument *arguments;
    const char *output; /* JSON Schema of the structured result */
    unsigned nature;
    tool_handler *handle;
};

/* Another name under which other servers' users know a tool. Accepted, not listed. */
struct tool_alias {
    const char *name;
    const char *tool;
    const char *preset; /* arguments that stand when they are not given, as JSON; or NULL */
};

size_t tools_count(void);

/* The tool at that place of the list, for tools/list; new. */
json_t *tools_describe(size_t at, bool annotations, bool structured);

/* The tool of that name, or of which it is an alias; then *preset is new and to be freed. NULL when
 * there is none. */
const struct tool *tools_find(const char *name, json_t **preset);

/* Handlers, each in the file of its family. */
tool_handler tool_ls, tool_read_file;

extern const struct argument ls_arguments[], read_file_arguments[];

#endif
