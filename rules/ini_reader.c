#include "ini_reader.h"

#include "scopefs/mem.h"

#include <ini.h>
#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

struct reader {
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct ini_file *file;
    const char *contents;
    size_t size, at;

    struct ini_line line; /* the one that inih has got last */
    bool delivered;       /* inih has made a setting of it */
    bool holds_patterns;
    struct ini_section *section, **last_section;
    struct ini_setting **last_setting;
};

#define report(reader, line, column, ...)                                                          \
    diagnostics_add((reader)->diagnostics, SEVERITY_ERROR, (reader)->file->name, line, column,     \
                    __VA_ARGS__)

static bool holds_patterns(const char *kind)
{
    return strcmp(kind, "rules") == 0 || strcmp(kind, "ceiling") == 0;
}

static const char blanks[] = " \t\r\v\f";

static struct ini_section *add_section(struct reader *reader, const char *kind, size_t length)
{
    struct ini_section *section = arena_alloc(reader->arena, sizeof(*section));
    section->kind = arena_memdup0(reader->arena, kind, length);
    section->line = reader->line.number;
    section->column = (unsigned)(kind - reader->line.text) + 1;
    *reader->last_section = section;
    reader->last_section = &section->next;
    reader->section = section;
    reader->holds_patterns = holds_patterns(section->kind);
    return section;
}

/* The words of a section's line, which hold no NUL. */
static void start_section(struct reader *reader)
{
    const struct ini_line *line = &reader->line;
    const char *start = line->text + line->start;
    const char *words = arena_memdup0(reader->arena, start, line->end - line->start);
    size_t kind_length = strcspn(words, blanks);
    size_t name_start = kind_length + strspn(words + kind_length, blanks);
    size_t name_length = strcspn(words + name_start, blanks);
    size_t rest = name_start + name_length;
    rest += strspn(words + rest, blanks);

    struct ini_section *section = add_section(reader, start, kind_length);
    section->broken = words[rest] != '\0';
    section->name_column = (unsigned)(line->start + name_start) + 1;
    if (section->broken)
        report(reader, line->number, (unsigned)(line->start + rest) + 1,
               "a section has a kind and a name; take the rest out");
    else if (name_length > 0)
        section->name = arena_memdup0(reader->arena, words + name_start, name_length);
}

/* What stands below a broken section line belongs to nothing, but its own errors shall be found. */
static void start_broken_section(struct reader *reader)
{
    const struct ini_line *line = &reader->line;
    const char *open = memchr(line->text, '[', line->length);
    const char *kind = open + 1, *end = line->text + line->length;
    while (kind < end && (*kind == ' ' || *kind == '\t'))
        kind++;
    size_t length = 0;
    while (kind + length < end && kind[length] >= 'a' && kind[length] <= 'z')
        length++;
    add_section(reader, kind, length)->broken = true;
}

/* Cuts the next physical line out of the file. False at the end. */
static bool next_line(struct reader *reader)
{
    if (reader->at >= reader->size)
        return false;
    const char *text = reader->contents + reader->at;
    const char *end = memchr(text, '\n', reader->size - reader->at);
    size_t length = end ? (size_t)(end - text) : reader->size - reader->at;
    reader->at += length + (end ? 1 : 0);
    if (length > 0 && text[length - 1] == '\r')
        length--;
    reader->line = (struct ini_line){
        .file = reader->file->name,
        .text = text,
        .length = length,
        .number = reader->line.number + 1,
        .holds_patterns = reader->holds_patterns,
    };
    return true;
}

/* Every line that looks like a setting must arrive as one. */
static void check_delivery(struct reader *reader)
{
    if (reader->line.kind == INI_SETTING && !reader->delivered)
        report(reader, reader->line.number, 1,
               "inih does not understand this line; write KEY = \"VALUE\"");
}

/* Reads one line for inih in the manner of fgets(3). */
static char *give_line(char *buffer, int room, void *stream)
{
    struct reader *reader = stream;
    check_delivery(reader);
    if (!next_line(reader))
        return NULL;
    reader->delivered = false;
    ini_line_scan(&reader->line, reader->diagnostics);
    if (reader->line.kind == INI_SECTION)
        start_section(reader);
    else if (reader->line.kind == INI_BROKEN_SECTION)
        start_broken_section(reader);
    else if (reader->line.kind == INI_BROKEN && reader->section)
        reader->section->has_broken_line = true;

    cleanup_strbuf struct strbuf text = {0};
    ini_line_write(&reader->line, &text);
    if (text.length + 1 > (size_t)room) {
        report(reader, reader->line.number, 1, "the line is too long for inih; shorten it");
        reader->line.kind = INI_BROKEN;
        buffer[0] = '\0';
        return buffer;
    }
    if (text.length)
        memcpy(buffer, text.bytes, text.length);
    buffer[text.length] = '\0';
    return buffer;
}

static void add_setting(struct reader *reader)
{
    cleanup_strbuf struct strbuf value = {0};
    ini_line_value(&reader->line, &value);
    struct ini_setting *setting = arena_alloc(reader->arena, sizeof(*setting));
    setting->section = reader->section;
    setting->key = arena_memdup0(reader->arena, reader->line.text + reader->line.start,
                                 reader->line.end - reader->line.start);
    setting->value = arena_memdup0(reader->arena, value.bytes, value.length);
    setting->key_column = (unsigned)reader->line.start + 1;
    setting->line = reader->line;
    *reader->last_setting = setting;
    reader->last_setting = &setting->next;
}

static bool is_section(const struct ini_section *section, const char *given)
{
    size_t kind = strlen(section->kind);
    if (strncmp(given, section->kind, kind) != 0)
        return false;
    const char *name = section->name ? section->name : "";
    size_t given_length = strlen(given), name_length = strlen(name);
    return given_length >= kind + name_length &&
           strcmp(given + given_length - name_length, name) == 0;
}

/* inih's handler; 0 is an error. */
static int take_setting(void *context, const char *section, const char *key, const char *value)
{
    struct reader *reader = context;
    reader->delivered = true;
    if (!reader->section) {
        report(reader, reader->line.number, (unsigned)reader->line.start + 1,
               "the line stands before the first section; put it below [scope NAME]");
        return 1;
    }
    if (!ini_line_agrees(&reader->line, key, value) ||
        (!reader->section->broken && !is_section(reader->section, section))) {
        report(reader, reader->line.number, 1,
               "inih reads this line otherwise than it is meant; write KEY = \"VALUE\"");
        return 1;
    }
    add_setting(reader);
    return 1;
}

static bool has_error_at(const struct diagnostics *diagnostics, const char *file, unsigned line)
{
    for (size_t i = 0; i < diagnostics->count; i++)
        if (diagnostics->items[i].line == line && strcmp(diagnostics->items[i].file, file) == 0)
            return true;
    return false;
}

struct ini_file *ini_read(struct arena *arena, const char *name, const char *contents, size_t size,
                          struct diagnostics *diagnostics)
{
    struct ini_file *file = arena_alloc(arena, sizeof(*file));
    file->name = arena_strdup(arena, name);
    size_t mark = sizeof(byte_order_mark) - 1;
    if (size >= mark && memcmp(contents, byte_order_mark, mark) == 0) {
        contents += mark;
        size -= mark;
    }
    struct reader reader = {
        .arena = arena,
        .diagnostics = diagnostics,
        .file = file,
        .contents = arena_memdup0(arena, contents, size),
        .size = size,
        .last_section = &file->sections,
        .last_setting = &file->settings,
    };
    int wrong = ini_parse_stream(give_line, &reader, take_setting, &reader);
    if (wrong < 0)
        report(&reader, 0, 0, "inih cannot read the file: out of memory");
    else if (wrong > 0 && !has_error_at(diagnostics, name, (unsigned)wrong))
        report(&reader, (unsigned)wrong, 1, "inih does not understand this line");
    return file;
}

unsigned ini_setting_column(const struct ini_setting *setting, size_t offset)
{
    return ini_line_column(&setting->line, offset);
}
