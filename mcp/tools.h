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
tool_handler tool_ls, tool_read_file, tool_read_media_file, tool_read_multiple_files,
    tool_write_file, tool_edit_file, tool_create_directory, tool_move_file, tool_delete, tool_glob,
    tool_grep, tool_directory_tree, tool_file_info, tool_permissions, tool_list_allowed_directories,
    tool_execute, tool_read_output, tool_kill;

extern const struct argument ls_arguments[], read_file_arguments[], read_media_file_arguments[],
    read_multiple_files_arguments[], write_file_arguments[], edit_file_arguments[],
    create_directory_arguments[], move_file_arguments[], delete_arguments[], glob_arguments[],
    grep_arguments[], directory_tree_arguments[], file_info_arguments[], permissions_arguments[],
    list_allowed_directories_arguments[], execute_arguments[], read_output_arguments[],
    kill_arguments[];

#endif
