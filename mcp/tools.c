#include "tools.h"

#include "outputs.h"

#include <string.h>

static const struct tool tools[] = {
    {"ls", "List a directory",
     "List a directory: names, kinds and sizes. Use glob to find files by their names in the whole "
     "tree.",
     ls_arguments, LS_OUTPUT, TOOL_READS, tool_ls},
    {"read_file", "Read a file",
     "Read a text file with line numbers. Long files come in parts: the result says at which "
     "offset to read on. Read a file before you edit it.",
     read_file_arguments, READ_OUTPUT, TOOL_READS, tool_read_file},
    {"read_media_file", "Read an image, a sound or other data",
     "Read a file that is no text: an image, a sound, or any other data.",
     read_media_file_arguments, MEDIA_OUTPUT, TOOL_READS, tool_read_media_file},
    {"read_multiple_files", "Read several files",
     "Read several text files at once. One that cannot be read does not keep the others from it.",
     read_multiple_files_arguments, FILES_OUTPUT, TOOL_READS, tool_read_multiple_files},
    {"write_file", "Write a file",
     "Make a file, or replace all that is in it; missing directories are made. Prefer edit_file "
     "for "
     "a file that exists.",
     write_file_arguments, WRITE_OUTPUT, TOOL_DESTROYS | TOOL_IDEMPOTENT, tool_write_file},
    {"edit_file", "Edit a file",
     "Replace exact text in a file, once or wherever it is, or make several such edits at once. "
     "The "
     "rest of the file, its line ends and its encoding stay as they are. Refused when the file was "
     "changed since you have read it. Returns the difference.",
     edit_file_arguments, EDIT_OUTPUT, TOOL_DESTROYS, tool_edit_file},
    {"create_directory", "Make a directory",
     "Make a directory, and those above it that are missing. It may be there already.",
     create_directory_arguments, DIRECTORY_OUTPUT, TOOL_IDEMPOTENT, tool_create_directory},
    {"move_file", "Move or rename",
     "Move or rename a file or directory. Never over something that exists.", move_file_arguments,
     MOVE_OUTPUT, TOOL_DESTROYS, tool_move_file},
    {"delete", "Delete", "Delete a file or an empty directory, or a directory with all below it.",
     delete_arguments, DELETE_OUTPUT, TOOL_DESTROYS | TOOL_IDEMPOTENT, tool_delete},
    {"glob", "Find files by name",
     "Find files by a pattern of their paths, such as **/*.py. Sorted by path.", glob_arguments,
     GLOB_OUTPUT, TOOL_READS, tool_glob},
    {"grep", "Search in files",
     "Search files for a regular expression: the files that match, or the lines, or their number.",
     grep_arguments, GREP_OUTPUT, TOOL_READS, tool_grep},
    {"directory_tree", "Show a tree", "Show what is below a directory as a tree.",
     directory_tree_arguments, TREE_OUTPUT, TOOL_READS, tool_directory_tree},
    {"file_info", "Tell about a file",
     "Tell the kind, size, times and permissions of a file or directory.", file_info_arguments,
     INFO_OUTPUT, TOOL_READS, tool_file_info},
    {"permissions", "Explain a level",
     "Tell what is permitted at a path: its level (none, view, read or write), and what that "
     "means.",
     permissions_arguments, PERMISSIONS_OUTPUT, TOOL_READS, tool_permissions},
    {"list_allowed_directories", "List the workspace", "Tell which directory the tools work in.",
     list_allowed_directories_arguments, ALLOWED_OUTPUT, TOOL_READS, tool_list_allowed_directories},
    {"execute", "Run a command",
     "Run a line of shell in a sandbox in which the workspace is all there is. For what no other "
     "tool does: builds, tests, git. In the background it goes on after the call.",
     execute_arguments, JOB_OUTPUT, TOOL_DESTROYS | TOOL_OPEN, tool_execute},
    {"read_output", "Read what a command printed",
     "Read the output of a command that was run, from an offset on; also while it runs.",
     read_output_arguments, JOB_OUTPUT, TOOL_READS, tool_read_output},
    {"kill", "End a command", "End a command that runs in the background.", kill_arguments,
     KILL_OUTPUT, TOOL_DESTROYS | TOOL_IDEMPOTENT, tool_kill},
};

#define TOOLS (sizeof(tools) / sizeof(tools[0]))

static const struct tool_alias aliases[] = {
    {"list_directory", "ls", NULL},
    {"list_directory_with_sizes", "ls", NULL},
    {"search_files", "glob", "{\"type\":\"any\"}"},
    {"get_file_info", "file_info", NULL},
    {"exec", "execute", NULL},
    {"delete_file", "delete", NULL},
    {"read_text_file", "read_file", "{\"line_numbers\":false}"},
};

size_t tools_count(void)
{
    return TOOLS;
}

static json_t *annotate(const struct tool *tool)
{
    bool reads = tool->nature & TOOL_READS;
    return json_pack("{s:s, s:b, s:b, s:b, s:b}", "title", tool->title, "readOnlyHint", reads,
                     "destructiveHint", !reads && (tool->nature & TOOL_DESTROYS), "idempotentHint",
                     reads || (tool->nature & TOOL_IDEMPOTENT), "openWorldHint",
                     (tool->nature & TOOL_OPEN) != 0);
}

json_t *tools_describe(size_t at, bool annotations, bool structured)
{
    const struct tool *tool = &tools[at];
    json_t *described =
        json_pack("{s:s, s:s, s:o}", "name", tool->name, "description", tool->description,
                  "inputSchema", arguments_schema(tool->arguments));
    if (annotations)
        json_object_set_new(described, "annotations", annotate(tool));
    if (structured) {
        json_object_set_new(described, "title", json_string(tool->title));
        json_object_set_new(described, "outputSchema", json_loads(tool->output, 0, NULL));
    }
    return described;
}

static const struct tool *find_own(const char *name)
{
    for (size_t i = 0; i < TOOLS; i++)
        if (strcmp(tools[i].name, name) == 0)
            return &tools[i];
    return NULL;
}

const struct tool *tools_find(const char *name, json_t **preset)
{
    *preset = NULL;
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcmp(aliases[i].name, name) != 0)
            continue;
        *preset = aliases[i].preset ? json_loads(aliases[i].preset, 0, NULL) : NULL;
        return find_own(aliases[i].tool);
    }
    return find_own(name);
}
