/* grep: lines of files by their contents. */
#include "hits.h"
#include "scopefs/mem.h"
#include "text.h"
#include "tools.h"
#include "workspace.h"

#include <string.h>

/* Bytes of a line that are shown. */
#define LINE_LIMIT 1000

static const char *const mode_choices[] = {"files_with_matches", "content", "count", NULL};
static const char *const engine_choices[] = {"auto", "ripgrep", "pcre2", NULL};

const struct argument grep_arguments[] = {
    {"pattern", NULL, ARGUMENT_PATH, true, .help = "A regular expression"},
    {"path", NULL, ARGUMENT_PATH, .fallback = "\".\"", .help = "The directory or file to search"},
    {"glob", "glob_pattern", ARGUMENT_PATH,
     .help = "Search only files of such names: *.py, **/test/*.{js,ts}"},
    {"exclude", "excludePatterns", ARGUMENT_TEXTS, .fallback = "[]", .maximum = 100,
     .help = "Patterns of what is left out, with all below it: node_modules"},
    {"output_mode", NULL, ARGUMENT_CHOICE, .fallback = "\"files_with_matches\"",
     .choices = mode_choices, .help = "Files, or lines, or the number of lines in each file"},
    {"ignore_hidden", NULL, ARGUMENT_FLAG, .fallback = "true",
     .help = "Leave out files and directories whose names begin with a dot"},
    {"ignore_case", NULL, ARGUMENT_FLAG, .fallback = "false", .help = "Do not tell A from a"},
    {"literal", NULL, ARGUMENT_FLAG, .fallback = "false",
     .help = "The pattern is a text, not an expression"},
    {"context", NULL, ARGUMENT_WHOLE, .fallback = "0", .maximum = 50,
     .help = "Lines to show before and after each match"},
    {"before", NULL, ARGUMENT_WHOLE, .maximum = 50, .help = "Lines to show before each match"},
    {"after", NULL, ARGUMENT_WHOLE, .maximum = 50, .help = "Lines to show after each match"},
    {"offset", NULL, ARGUMENT_WHOLE, .fallback = "0", .maximum = 100000000,
     .help = "Results to skip"},
    {"limit", NULL, ARGUMENT_WHOLE, .fallback = "250", .minimum = 1, .maximum = 10000,
     .help = "Results to list at most"},
    {"engine", NULL, ARGUMENT_CHOICE, .fallback = "\"auto\"", .choices = engine_choices,
     .help = "ripgrep is fast; pcre2 has lookarounds and backreferences"},
    {0},
};

static json_t *path_text(const struct call *call, const char *start, const char *path)
{
    bool at_root = strcmp(start, ".") == 0;
    cleanup_free char *below = at_root ? xstrdup(path)
                               : *path ? xasprintf("%s/%s", start, path)
                                       : xstrdup(start);
    cleanup_free char *name = workspace_name(call, below);
    return json_name(name, strlen(name));
}

static void add_line(struct call *call, const struct hit *hit, const char *path)
{
    size_t shown = hit->length > LINE_LIMIT ? text_cut(hit->text, LINE_LIMIT) : hit->length;
    if (shown && hit->text[shown - 1] == '\r')
        shown--;
    cleanup_strbuf struct strbuf text = {0};
    text_mend(hit->text, shown, &text);
    char mark = hit->is_context ? '-' : ':';
    strbuf_add_format(&call->text, "%s%c%zu%c %s", path, mark, hit->line, mark, text.bytes);
    if (hit->length > LINE_LIMIT)
        strbuf_add_format(&call->text, "[%zu more bytes]", hit->length - shown);
    strbuf_add(&call->text, "\n", 1);
    json_array_append_new(json_object_get(call->structured, "results"),
                          json_pack("{s:s, s:I, s:s, s:b}", "path", path, "line",
                                    (json_int_t)hit->line, "text", text.bytes, "is_context",
                                    hit->is_context));
}

static void add_hit(struct call *call, const struct hits *hits, const struct hit *hit,
                    const char *start)
{
    json_t *results = json_object_get(call->structured, "results");
    json_t *path = path_text(call, start, hit->path);
    if (hits->mode == HITS_LINES) {
        add_line(call, hit, json_string_value(path));
    } else if (hits->mode == HITS_COUNTS) {
        strbuf_add_format(&call->text, "%s: %zu\n", json_string_value(path), hit->line);
        json_array_append_new(
            results, json_pack("{s:O, s:I}", "path", path, "count", (json_int_t)hit->line));
    } else {
        strbuf_add_format(&call->text, "%s\n", json_string_value(path));
        json_array_append_new(results, json_pack("{s:O}", "path", path));
    }
    json_decref(path);
}

static void add_totals(struct call *call, const struct hits *hits)
{
    json_int_t total = 0;
    for (size_t i = 0; i < hits->count; i++)
        if (hits->mode == HITS_COUNTS)
            total += (json_int_t)hits->items[i].line;
        else
            total += !hits->items[i].is_context;
    json_object_set_new(call->structured, "total", json_integer(total));
    if (hits->mode == HITS_COUNTS)
        strbuf_add_format(&call->text, "%lld lines in all\n", (long long)total);
}

static void present(struct call *call, const struct hits *hits, const char *start)
{
    size_t offset = (size_t)call_number(call, "offset");
    size_t limit = (size_t)call_number(call, "limit");
    size_t at = offset < hits->count ? offset : hits->count;
    call->structured = json_pack("{s:s, s:[]}", "mode", call_text(call, "output_mode"), "results");
    for (; at < hits->count && at < offset + limit; at++)
        add_hit(call, hits, &hits->items[at], start);
    if (hits->count == 0)
        strbuf_add_text(&call->text, "(nothing matches)\n");
    add_totals(call, hits);
    bool is_truncated = at < hits->count || hits->is_incomplete;
    json_object_set_new(call->structured, "truncated", json_boolean(is_truncated));
    if (at < hits->count) {
        strbuf_add_format(&call->text, "[truncated, %zu more; offset=%zu lists on]\n",
                          hits->count - at, at);
        json_object_set_new(call->structured, "next_offset", json_integer((json_int_t)at));
    }
    if (hits->is_incomplete)
        strbuf_add_text(&call->text, "[there are more matches than are looked at; search less]\n");
}

static enum hits_mode mode_of(const struct call *call)
{
    const char *name = call_text(call, "output_mode");
    return strcmp(name, "content") == 0 ? HITS_LINES
           : strcmp(name, "count") == 0 ? HITS_COUNTS
                                        : HITS_FILES;
}

static int search(struct call *call, const struct grep_request *request, struct hits *hits)
{
    const char *engine = call_text(call, "engine");
    struct stat status;
    bool is_file = workspace_status(call, request->start, &status) == 0 && !S_ISDIR(status.st_mode);
    int result = strcmp(engine, "pcre2") == 0 || is_file ? 1 : ripgrep_search(call, request, hits);
    if (result == 1 && strcmp(engine, "ripgrep") == 0 && !is_file) {
        call_fail(call, CODE_FAILED, NULL, NULL, "ripgrep is not installed");
        return -1;
    }
    return result == 1 ? pcre_search(call, request, hits) : result;
}

void tool_grep(struct call *call)
{
    __attribute__((cleanup(hits_free))) struct hits hits = {.mode = mode_of(call)};
    cleanup_free char *start = workspace_path(call, call_text(call, "path"));
    const struct grep_request request = {
        .pattern = call_text(call, "pattern"),
        .start = start,
        .files = call_text(call, "glob"),
        .excluded = call_value(call, "exclude"),
        .skip_hidden = call_flag(call, "ignore_hidden"),
        .ignore_case = call_flag(call, "ignore_case"),
        .is_literal = call_flag(call, "literal"),
        .before = call_number(call, call_has(call, "before") ? "before" : "context"),
        .after = call_number(call, call_has(call, "after") ? "after" : "context"),
    };
    if (!start || search(call, &request, &hits) < 0)
        return;
    hits_sort(&hits);
    present(call, &hits, start);
}
