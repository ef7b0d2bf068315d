/* A search by PCRE2, file after file. */
#include "glob.h"
#include "hits.h"
#include "scopefs/mem.h"
#include "walk.h"
#include "workspace.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#define MATCH_LIMIT  1000000
#define BINARY_PROBE 8192

struct engine {
    struct call *call;
    const struct grep_request *request;
    struct hits *hits;
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
    struct glob *files;
    bool files_excluded; /* the pattern began with "!" */
    struct glob_list excluded;
    size_t kept; /* bytes of text in the hits */
};

static int compile(struct engine *engine)
{
    const struct grep_request *request = engine->request;
    int number;
    PCRE2_SIZE offset;
    uint32_t options =
        PCRE2_MULTILINE | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    if (request->ignore_case)
        options |= PCRE2_CASELESS;
    if (request->is_literal)
        options =
            (options & (PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_CASELESS)) | PCRE2_LITERAL;
    engine->code = pcre2_compile((PCRE2_SPTR)request->pattern, strlen(request->pattern), options,
                                 &number, &offset, NULL);
    if (!engine->code) {
        char text[256] = "";
        pcre2_get_error_message(number, (PCRE2_UCHAR *)text, sizeof(text));
        call_fail(engine->call, CODE_INVALID_ARGUMENTS, NULL, NULL,
                  "the pattern cannot be used: %s at byte %zu", text, offset);
        return -1;
    }
    pcre2_jit_compile(engine->code, PCRE2_JIT_COMPLETE);
    engine->data = pcre2_match_data_create(1, NULL);
    engine->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(engine->limits, MATCH_LIMIT);
    return 0;
}

static void add_text(struct engine *engine, const char *path, const struct strbuf *text,
                     size_t line, size_t start, size_t end, bool is_context)
{
    if (engine->kept > HITS_BYTES) {
        engine->hits->is_incomplete = true;
        return;
    }
    cleanup_free char *copy = xmemdup0(text->bytes + start, end - start);
    engine->kept += end - start;
    struct hit hit = {.line = line, .is_context = is_context};
    hit.text = hits_keep(engine->hits, copy);
    /* A NUL ends what is kept of a line. */
    hit.length = strlen(hit.text);
    hit.path = hits_keep(engine->hits, path);
    hits_add(engine->hits, &hit);
}

/* Where lines are, as far as the search has come. */
struct lines {
    const struct strbuf *text;
    size_t number, start, end; /* of the present line; the end is its newline, or the text's end */
    size_t shown;              /* the last line that was added */
};

static void measure(struct lines *lines)
{
    const char *newline =
        memchr(lines->text->bytes + lines->start, '\n', lines->text->length - lines->start);
    lines->end = newline ? (size_t)(newline - lines->text->bytes) : lines->text->length;
}

static bool next_line(struct lines *lines)
{
    if (lines->end >= lines->text->length || lines->end + 1 >= lines->text->length)
        return false;
    lines->start = lines->end + 1;
    lines->number++;
    measure(lines);
    return true;
}

static void add_before(struct engine *engine, const char *path, const struct lines *lines)
{
    size_t wanted = (size_t)engine->request->before;
    size_t start = lines->start, number = lines->number;
    while (wanted && number > lines->shown + 1 && start > 0) {
        const char *newline = start > 1 ? memrchr(lines->text->bytes, '\n', start - 1) : NULL;
        start = newline ? (size_t)(newline - lines->text->bytes) + 1 : 0;
        number--;
        wanted--;
    }
    for (struct lines at = {lines->text, number, start, 0, 0}; at.number < lines->number;
         next_line(&at)) {
        measure(&at);
        add_text(engine, path, at.text, at.number, at.start, at.end, true);
    }
}

/* Shows lines after a match up to its context's end, but not `stop`, where the next match is. */
static void add_after(struct engine *engine, const char *path, struct lines *lines, size_t left,
                      size_t stop)
{
    while (left && next_line(lines)) {
        if (lines->end >= stop)
            return;
        add_text(engine, path, lines->text, lines->number, lines->start, lines->end, true);
        lines->shown = lines->number;
        left--;
    }
}

/* Offset of the next match at or behind `at`, or the length of the text + 1. */
static size_t find(struct engine *engine, const struct strbuf *text, size_t at)
{
    if (at > text->length)
        return text->length + 1;
    int found = pcre2_match(engine->code, (PCRE2_SPTR)text->bytes, text->length, at, 0,
                            engine->data, engine->limits);
    size_t start = found >= 0 ? pcre2_get_ovector_pointer(engine->data)[0] : text->length + 1;
    bool behind_end = start == text->length && start > 0 && text->bytes[start - 1] == '\n';
    return behind_end ? text->length + 1 : start;
}

static size_t search_lines(struct engine *engine, const char *path, const struct strbuf *text)
{
    struct lines lines = {.text = text, .number = 1};
    size_t count = 0;
    measure(&lines);
    for (size_t at = find(engine, text, 0); at <= text->length && text->length;) {
        while (lines.end < at && next_line(&lines))
            ;
        count++;
        if (engine->hits->mode == HITS_LINES) {
            add_before(engine, path, &lines);
            add_text(engine, path, text, lines.number, lines.start, lines.end, false);
            lines.shown = lines.number;
        } else if (engine->hits->mode == HITS_FILES) {
            return count;
        }
        at = find(engine, text, lines.end + 1);
        if (engine->hits->mode == HITS_LINES)
            add_after(engine, path, &lines, (size_t)engine->request->after, at);
    }
    return count;
}

static void search_text(struct engine *engine, const char *path, const struct strbuf *text)
{
    size_t probe = text->length < BINARY_PROBE ? text->length : BINARY_PROBE;
    if (!text->length || memchr(text->bytes, '\0', probe))
        return;
    size_t count = search_lines(engine, path, text);
    if (count && engine->hits->mode != HITS_LINES)
        hits_add(engine->hits, &(struct hit){.path = hits_keep(engine->hits, path), .line = count});
}

/* What cannot be read is left out, as ripgrep does. */
static void search_file(struct engine *engine, const char *path, const char *shown)
{
    cleanup_strbuf struct strbuf text = {0};
    struct stat status;
    if (workspace_load(engine->call, path, WORKSPACE_FILE_LIMIT, &text, &status) == 0) {
        search_text(engine, shown, &text);
    } else {
        json_decref(engine->call->failure);
        engine->call->failure = NULL;
    }
}

static enum walk_answer visit(void *context, const struct walk_entry *entry)
{
    struct engine *engine = context;
    if ((engine->request->skip_hidden && entry->name[0] == '.') ||
        glob_list_matches(&engine->excluded, entry->path))
        return WALK_SKIP;
    if (entry->kind != WALK_FILE ||
        (engine->files && glob_matches(engine->files, entry->path) == engine->files_excluded))
        return WALK_ON;
    bool at_root = strcmp(engine->request->start, ".") == 0;
    cleanup_free char *path =
        at_root ? xstrdup(entry->path) : xasprintf("%s/%s", engine->request->start, entry->path);
    search_file(engine, path, entry->path);
    return call_is_cancelled(engine->call) ? WALK_END : WALK_ON;
}

static int prepare(struct engine *engine)
{
    const char *files = engine->request->files;
    if (compile(engine) < 0)
        return -1;
    if (files) {
        engine->files_excluded = files[0] == '!';
        engine->files = glob_new(engine->call, files + engine->files_excluded, true);
        if (!engine->files)
            return -1;
    }
    return glob_list_add(engine->call, &engine->excluded, engine->request->excluded);
}

static int search(struct engine *engine)
{
    struct stat status;
    const char *start = engine->request->start;
    int result = walk(engine->call, start, visit, engine);
    bool is_file = engine->call->failure && workspace_status(engine->call, start, &status) == 0 &&
                   !S_ISDIR(status.st_mode);
    if (!is_file)
        return result;
    json_decref(engine->call->failure);
    engine->call->failure = NULL;
    cleanup_strbuf struct strbuf text = {0};
    if (workspace_load(engine->call, start, WORKSPACE_FILE_LIMIT, &text, &status) < 0)
        return -1;
    search_text(engine, "", &text);
    return 0;
}

int pcre_search(struct call *call, const struct grep_request *request, struct hits *hits)
{
    struct engine engine = {.call = call, .request = request, .hits = hits};
    int result = prepare(&engine) == 0 ? search(&engine) : -1;
    pcre2_code_free(engine.code);
    pcre2_match_data_free(engine.data);
    pcre2_match_context_free(engine.limits);
    glob_free(engine.files);
    glob_list_free(&engine.excluded);
    return result;
}
