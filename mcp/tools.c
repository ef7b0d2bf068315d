#include "tools.h"

#include <string.h>

/* --- What results look like --- */

#define LS_OUTPUT                                                                                  \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"entries\":{\"type\":"   \
    "\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"     \
    "\"type\":{\"enum\":[\"file\",\"directory\",\"symlink\",\"other\"]},\"size\":{\"type\":"       \
    "\"integer\"},\"modified\":{\"type\":\"integer\"}},\"required\":[\"name\",\"type\"]}},"        \
    "\"total\":{\"type\":\"integer\"},\"truncated\":{\"type\":\"boolean\"},\"next_offset\":{"      \
    "\"type\":\"integer\"}},\"required\":[\"path\",\"entries\",\"total\",\"truncated\"]}"

#define READ_OUTPUT                                                                                \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"encoding\":{\"type\":"  \
    "\"string\"},\"first_line\":{\"type\":\"integer\"},\"lines\":{\"type\":\"integer\"},"          \
    "\"total_lines\":{\"type\":\"integer\"},\"truncated\":{\"type\":\"boolean\"},"                 \
    "\"next_offset\":{\"type\":\"integer\"},\"content\":{\"type\":\"string\"}},\"required\":["     \
    "\"path\",\"content\",\"total_lines\",\"truncated\"]}"

static const struct tool tools[] = {
    {"ls", "List a directory",
     "List a directory: names, kinds and sizes. Use glob to find files by their names in the whole "
     "tree.",
     ls_arguments, LS_OUTPUT, TOOL_READS, tool_ls},
    {"read_file", "Read a file",
     "Read a text file with line numbers. Long files come in parts: the result says at which "
     "offset to read on.",
     read_file_arguments, READ_OUTPUT, TOOL_READS, tool_read_file},
};

#define TOOLS (sizeof(tools) / sizeof(tools[0]))

static const struct tool_alias aliases[] = {
    {"list_directory", "ls", NULL},
    {"list_directory_with_sizes", "ls", NULL},
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
