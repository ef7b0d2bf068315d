/* read_file: a text with its line numbers. */
#include "scopefs/mem.h"
#include "stamps.h"
#include "text.h"
#include "tools.h"
#include "workspace.h"

#include <string.h>

/* What one result shows at most; the rest is read by further calls. */
#define RESULT_LIMIT (256U * 1024U)

const struct argument read_file_arguments[] = {
    {"path", NULL, ARGUMENT_PATH, true, .help = "The file"},
    {"offset", NULL, ARGUMENT_WHOLE, .fallback = "0", .maximum = 1000000000,
     .help = "Lines to skip"},
    {"limit", NULL, ARGUMENT_WHOLE, .fallback = "2000", .minimum = 1, .maximum = 1000000,
     .help = "Lines to read at most"},
    {"head", NULL, ARGUMENT_WHOLE, .minimum = 1, .maximum = 1000000,
     .help = "Only the first so many lines"},
    {"tail", NULL, ARGUMENT_WHOLE, .minimum = 1, .maximum = 1000000,
     .help = "Only the last so many lines"},
    {"line_numbers", NULL, ARGUMENT_FLAG, .fallback = "true",
     .help = "Put its number in front of each line"},
    {"max_line", NULL, ARGUMENT_WHOLE, .fallback = "8000", .maximum = RESULT_LIMIT,
     .help = "Bytes of a line that are shown; 0: all"},
    {0},
};

/* Which lines are wanted, and what became of that. */
struct window {
    size_t first, count; /* lines, from 0 */
    size_t next;         /* the first one that was not shown */
    size_t total;
    size_t cut; /* lines that were cut */
};

static size_t line_length(const struct strbuf *text, size_t at)
{
    const char *newline = memchr(text->bytes + at, '\n', text->length - at);
    return newline ? (size_t)(newline - text->bytes) + 1 - at : text->length - at;
}

static size_t count_lines(const struct strbuf *text)
{
    size_t count = 0;
    for (size_t at = 0; at < text->length; at += line_length(text, at))
        count++;
    return count;
}

static void choose(struct call *call, struct window *window)
{
    window->first = (size_t)call_number(call, "offset");
    window->count = (size_t)call_number(call, call_has(call, "head") ? "head" : "limit");
    if (call_has(call, "tail")) {
        window->count = (size_t)call_number(call, "tail");
        window->first = window->total > window->count ? window->total - window->count : 0;
    }
}

/* Appends a line as it is shown. */
static void add_line(struct call *call, struct window *window, const char *line, size_t length,
                     size_t number)
{
    size_t most = (size_t)call_number(call, "max_line");
    bool ends = length && line[length - 1] == '\n';
    size_t shown = length - (ends ? 1 : 0);
    if (call_flag(call, "line_numbers"))
        strbuf_add_format(&call->text, "%6zu\t", number + 1);
    if (most && shown > most) {
        size_t kept = text_cut(line, most);
        strbuf_add(&call->text, line, kept);
        strbuf_add_format(&call->text, "[%zu more bytes; max_line=0 shows them]", shown - kept);
        window->cut++;
    } else {
        strbuf_add(&call->text, line, shown);
    }
    if (ends)
        strbuf_add(&call->text, "\n", 1);
}

/* The bytes of the lines that were shown. */
static void show(struct call *call, struct window *window, const struct strbuf *text, size_t *start,
                 size_t *end)
{
    size_t at = 0, number = 0;
    for (; at < text->length && number < window->first; number++)
        at += line_length(text, at);
    *start = at;
    for (; at < text->length && number < window->first + window->count; number++) {
        size_t length = line_length(text, at);
        if (call->text.length + length > RESULT_LIMIT && at > *start)
            break;
        add_line(call, window, text->bytes + at, length, number);
        at += length;
    }
    *end = at;
    window->next = number;
}

static void add_note(struct call *call, const struct window *window)
{
    bool is_whole = call_has(call, "head") || call_has(call, "tail");
    if (window->next < window->total && !is_whole)
        strbuf_add_format(
            &call->text, "%s[truncated, %zu more lines; offset=%zu reads on]\n",
            call->text.length && call->text.bytes[call->text.length - 1] != '\n' ? "\n" : "",
            window->total - window->next, window->next);
    else if (window->total == 0)
        strbuf_add_text(&call->text, "[the file is empty]\n");
    else if (window->first >= window->total)
        strbuf_add_format(&call->text, "[the file has only %zu lines]\n", window->total);
}

static void present(struct call *call, const char *name, enum encoding encoding,
                    const struct strbuf *text)
{
    struct window window = {.total = count_lines(text)};
    size_t start, end;
    choose(call, &window);
    show(call, &window, text, &start, &end);
    bool is_truncated = window.next < window.total;
    call->structured = json_pack(
        "{s:o, s:s, s:I, s:I, s:I, s:b, s:s}", "path", json_name(name, strlen(name)), "encoding",
        encoding_names[encoding], "first_line", (json_int_t)window.first + 1, "lines",
        (json_int_t)(window.next > window.first ? window.next - window.first : 0), "total_lines",
        (json_int_t)window.total, "truncated", is_truncated, "content", "");
    if (end > start)
        json_object_set_new(call->structured, "content",
                            json_stringn(text->bytes + start, end - start));
    if (is_truncated)
        json_object_set_new(call->structured, "next_offset", json_integer((json_int_t)window.next));
    add_note(call, &window);
}

void tool_read_file(struct call *call)
{
    cleanup_strbuf struct strbuf bytes = {0}, text = {0};
    cleanup_free char *path = workspace_path(call, call_text(call, "path"));
    struct stat status;
    if (!path || workspace_load(call, path, WORKSPACE_FILE_LIMIT, &bytes, &status) < 0)
        return;
    cleanup_free char *name = workspace_name(call, path);
    enum encoding encoding = text_encoding(bytes.bytes, bytes.length);
    if (encoding == ENCODING_BINARY) {
        call_fail(call, CODE_NOT_A_FILE, name, NULL,
                  "%s: it is no text (%zu bytes); read_media_file gives its bytes", name,
                  bytes.length);
        return;
    }
    text_decode(encoding, bytes.bytes, bytes.length, &text);
    stamps_set(call->address.session, path, &status);
    present(call, name, encoding, &text);
}
