#include "scopefs/diagnostics.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <stdarg.h>

/* A message quotes what stands in the file, and must stay one line on any terminal. Backslashes
 * stay single, as the patterns that it shows have them. */
static void add_printable(struct strbuf *buffer, const char *text)
{
    for (;;) {
        size_t plain = strcspn(text, "\\");
        strbuf_add_quoted(buffer, text, plain);
        if (!text[plain])
            return;
        strbuf_add(buffer, "\\", 1);
        text += plain + 1;
    }
}

void diagnostics_add(struct diagnostics *diagnostics, enum severity severity, const char *file,
                     unsigned line, unsigned column, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = xstrdup(format);
    va_end(arguments);

    struct strbuf message = {0};
    add_printable(&message, text);
    free(text);

    diagnostics->items =
        xreallocarray(diagnostics->items, diagnostics->count + 1, sizeof(*diagnostics->items));
    diagnostics->items[diagnostics->count++] = (struct diagnostic){
        .severity = severity,
        .file = xstrdup(file),
        .line = line,
        .column = column,
        .message = strbuf_steal(&message),
    };
    if (severity == SEVERITY_ERROR)
        diagnostics->errors++;
}

struct sort_key {
    size_t file, index; /* order of first appearance; order of discovery */
    const struct diagnostic *item;
};

static int compare_keys(const void *left, const void *right)
{
    const struct sort_key *one = left, *other = right;
    if (one->file != other->file)
        return one->file < other->file ? -1 : 1;
    if (one->item->line != other->item->line)
        return one->item->line < other->item->line ? -1 : 1;
    if (one->item->column != other->item->column)
        return one->item->column < other->item->column ? -1 : 1;
    return one->index < other->index ? -1 : one->index > other->index;
}

void diagnostics_sort(struct diagnostics *diagnostics)
{
    size_t count = diagnostics->count;
    cleanup_free struct sort_key *keys = xcalloc(count, sizeof(*keys));
    for (size_t i = 0; i < count; i++) {
        size_t first = 0;
        while (strcmp(diagnostics->items[first].file, diagnostics->items[i].file) != 0)
            first++;
        keys[i] = (struct sort_key){.file = first, .index = i, .item = &diagnostics->items[i]};
    }
    qsort(keys, count, sizeof(*keys), compare_keys);

    struct diagnostic *sorted = xcalloc(count, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = *keys[i].item;
    free(diagnostics->items);
    diagnostics->items = sorted;
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream)
{
    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct diagnostic *item = &diagnostics->items[i];
        cleanup_strbuf struct strbuf place = {0};
        strbuf_add_quoted(&place, item->file, strlen(item->file));
        if (item->line)
            strbuf_add_format(&place, ":%u", item->line);
        if (item->line && item->column)
            strbuf_add_format(&place, ":%u", item->column);
        fprintf(stream, "%s: %s: %s\n", place.bytes,
                item->severity == SEVERITY_ERROR ? "error" : "warning", item->message);
    }
}

void diagnostics_free(struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics->count; i++) {
        free(diagnostics->items[i].file);
        free(diagnostics->items[i].message);
    }
    free(diagnostics->items);
    *diagnostics = (struct diagnostics){0};
}
