/*
 * What the structured results of the tools look like, as JSON Schema. The tests check every result
 * that they get against it.
 */
#ifndef SCOPEFS_MCP_OUTPUTS_H
#define SCOPEFS_MCP_OUTPUTS_H

#define LS_OUTPUT                                                                                  \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"entries\":{\"t"         \
    "ype\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\""         \
    "string\"},\"type\":{\"enum\":[\"file\",\"directory\",\"symlink\",\"other\"]},\"size"          \
    "\":{\"type\":\"integer\"},\"modified\":{\"type\":\"integer\"}},\"required\":[\"name"          \
    "\",\"type\"]}},\"total\":{\"type\":\"integer\"},\"truncated\":{\"type\":\"boolean\"}"         \
    ",\"next_offset\":{\"type\":\"integer\"}},\"required\":[\"path\",\"entries\",\"total"          \
    "\",\"truncated\"]}"

#define READ_OUTPUT                                                                                \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"encoding\":{\""         \
    "type\":\"string\"},\"first_line\":{\"type\":\"integer\"},\"lines\":{\"type\":\"integ"         \
    "er\"},\"total_lines\":{\"type\":\"integer\"},\"truncated\":{\"type\":\"boolean\"},\""         \
    "next_offset\":{\"type\":\"integer\"},\"content\":{\"type\":\"string\"}},\"required\""         \
    ":[\"path\",\"content\",\"total_lines\",\"truncated\"]}"

#define MEDIA_OUTPUT                                                                               \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"mime_type\":{"          \
    "\"type\":\"string\"},\"bytes\":{\"type\":\"integer\"}},\"required\":[\"path\",\"mime"         \
    "_type\",\"bytes\"]}"

#define FILES_OUTPUT                                                                               \
    "{\"type\":\"object\",\"properties\":{\"files\":{\"type\":\"array\",\"items\":{\"type"         \
    "\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"content\":{\"type\":"          \
    "\"string\"},\"truncated\":{\"type\":\"boolean\"},\"error\":{\"type\":\"object\",\"pr"         \
    "operties\":{\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},\"path"          \
    "\":{\"type\":\"string\"},\"missing\":{\"type\":\"string\"}},\"required\":[\"code\","          \
    "\"message\"]}},\"required\":[\"path\"]}}},\"required\":[\"files\"]}"

#define WRITE_OUTPUT                                                                               \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"bytes\":{\"typ"         \
    "e\":\"integer\"}},\"required\":[\"path\",\"bytes\"]}"

#define EDIT_OUTPUT                                                                                \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"replacements\""         \
    ":{\"type\":\"integer\"},\"dry_run\":{\"type\":\"boolean\"},\"truncated\":{\"type\":"          \
    "\"boolean\"},\"diff\":{\"type\":\"string\"}},\"required\":[\"path\",\"replacements\""         \
    ",\"dry_run\",\"diff\"]}"

#define DIRECTORY_OUTPUT                                                                           \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"created\":{\"t"         \
    "ype\":\"boolean\"}},\"required\":[\"path\",\"created\"]}"

#define MOVE_OUTPUT                                                                                \
    "{\"type\":\"object\",\"properties\":{\"source\":{\"type\":\"string\"},\"destination"          \
    "\":{\"type\":\"string\"}},\"required\":[\"source\",\"destination\"]}"

#define DELETE_OUTPUT                                                                              \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"deleted\":{\"t"         \
    "ype\":\"integer\"}},\"required\":[\"path\",\"deleted\"]}"

#define GLOB_OUTPUT                                                                                \
    "{\"type\":\"object\",\"properties\":{\"matches\":{\"type\":\"array\",\"items\":{\"ty"         \
    "pe\":\"string\"}},\"total\":{\"type\":\"integer\"},\"truncated\":{\"type\":\"boolean"         \
    "\"},\"next_offset\":{\"type\":\"integer\"}},\"required\":[\"matches\",\"total\",\"tr"         \
    "uncated\"]}"

#define GREP_OUTPUT                                                                                \
    "{\"type\":\"object\",\"properties\":{\"mode\":{\"type\":\"string\"},\"results\":{\"t"         \
    "ype\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\""         \
    "string\"},\"line\":{\"type\":\"integer\"},\"text\":{\"type\":\"string\"},\"is_contex"         \
    "t\":{\"type\":\"boolean\"},\"count\":{\"type\":\"integer\"}},\"required\":[\"path\"]"         \
    "}},\"total\":{\"type\":\"integer\"},\"truncated\":{\"type\":\"boolean\"},\"next_offs"         \
    "et\":{\"type\":\"integer\"}},\"required\":[\"mode\",\"results\",\"total\",\"truncate"         \
    "d\"]}"

#define TREE_OUTPUT                                                                                \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"tree\":{\"type"         \
    "\":\"array\",\"items\":{\"type\":\"object\"}},\"entries\":{\"type\":\"integer\"},\"t"         \
    "runcated\":{\"type\":\"boolean\"}},\"required\":[\"path\",\"tree\",\"entries\",\"tru"         \
    "ncated\"]}"

#define INFO_OUTPUT                                                                                \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"type\":{\"type"         \
    "\":\"string\"},\"size\":{\"type\":\"integer\"},\"mode\":{\"type\":\"string\"},\"leve"         \
    "l\":{\"type\":\"string\"},\"modified\":{\"type\":\"string\"},\"accessed\":{\"type\":"         \
    "\"string\"},\"changed\":{\"type\":\"string\"},\"target\":{\"type\":\"string\"}},\"re"         \
    "quired\":[\"path\",\"type\",\"size\",\"level\"]}"

#define PERMISSIONS_OUTPUT                                                                         \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"level\":{\"enu"         \
    "m\":[\"none\",\"view\",\"read\",\"write\"]},\"meaning\":{\"type\":\"string\"},\"exis"         \
    "ts\":{\"type\":\"boolean\"}},\"required\":[\"path\",\"level\",\"exists\"]}"

#define ALLOWED_OUTPUT                                                                             \
    "{\"type\":\"object\",\"properties\":{\"directories\":{\"type\":\"array\",\"items\":{"         \
    "\"type\":\"string\"}}},\"required\":[\"directories\"]}"

#define JOB_OUTPUT                                                                                 \
    "{\"type\":\"object\",\"properties\":{\"job\":{\"type\":\"integer\"},\"running\":{\"t"         \
    "ype\":\"boolean\"},\"exit_status\":{\"type\":\"integer\"},\"signal\":{\"type\":[\"in"         \
    "teger\",\"null\"]},\"timed_out\":{\"type\":\"boolean\"},\"out_of_memory\":{\"type\":"         \
    "\"boolean\"},\"duration\":{\"type\":\"number\"},\"stdout\":{\"type\":\"string\"},\"s"         \
    "tdout_size\":{\"type\":\"integer\"},\"stdout_truncated\":{\"type\":\"boolean\"},\"st"         \
    "dout_next_offset\":{\"type\":\"integer\"},\"stderr\":{\"type\":\"string\"},\"stderr_"         \
    "size\":{\"type\":\"integer\"},\"stderr_truncated\":{\"type\":\"boolean\"},\"stderr_n"         \
    "ext_offset\":{\"type\":\"integer\"}},\"required\":[\"job\",\"running\",\"stdout\",\""         \
    "stderr\"]}"

#define KILL_OUTPUT                                                                                \
    "{\"type\":\"object\",\"properties\":{\"job\":{\"type\":\"integer\"},\"killed\":{\"ty"         \
    "pe\":\"boolean\"}},\"required\":[\"job\",\"killed\"]}"

#endif
