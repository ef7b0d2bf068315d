#include "ini_line.h"

#include <ini.h>
#include <string.h>

/* inih 55 keeps section and key names in arrays of 50 bytes and cuts what is longer. */
#define MAX_NAME 49

struct scanner {
    struct ini_line *line;
    struct diagnostics *diagnostics;
};

#define report(scanner, offset, ...)                                                               \
    diagnostics_add((scanner)->diagnostics, SEVERITY_ERROR, (scanner)->line->file,                 \
                    (scanner)->line->number, (unsigned)(offset) + 1, __VA_ARGS__)

/* What inih takes for white space: isspace(3) in the C locale. */
static bool is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static size_t skip_space(const struct ini_line *line, size_t at)
{
    while (at < line->length && is_space(line->text[at]))
        at++;
    return at;
}

static size_t trim_end(const struct ini_line *line, size_t start, size_t end)
{
    while (end > start && is_space(line->text[end - 1]))
        end--;
    return end;
}

static bool is_comment_byte(char byte)
{
    return byte == ';' || byte == '#';
}

/* The ';' or '#' that may begin a comment in or behind a value that starts at `start`: at its very
 * start or behind white space; or the end of the line. */
static size_t find_comment(const struct ini_line *line, size_t start)
{
    for (size_t at = start; at < line->length; at++)
        if (is_comment_byte(line->text[at]) && (at == start || is_space(line->text[at - 1])))
            return at;
    return line->length;
}

/* What makes a line unusable, whatever it says. */
static bool check_bytes(struct scanner *scanner)
{
    struct ini_line *line = scanner->line;
    const char *found = memchr(line->text, '\0', line->length);
    if (found) {
        report(scanner, found - line->text,
               "NUL byte; an ini file is text, so take it out (is this the right file?)");
        return false;
    }
    found = memchr(line->text, INI_PROTECTED_SEMICOLON, line->length);
    if (found) {
        report(scanner, found - line->text,
               "control character \\001; take it out, or match it "
               "with ?");
        return false;
    }
    size_t limit = (size_t)ini_max_line - 2; /* for the end of line and the NUL behind it */
    if (line->length > limit) {
        report(scanner, limit,
               "the line is too long: %zu bytes of at most %zu; use several rules, or shorten it",
               line->length, limit);
        return false;
    }
    return true;
}

static void scan_section(struct scanner *scanner, size_t open)
{
    struct ini_line *line = scanner->line;
    line->kind = INI_BROKEN_SECTION;
    const char *bracket = memchr(line->text + open, ']', line->length - open);
    if (!bracket) {
        report(scanner, open,
               "'[' starts a section, which ']' must close; a pattern that begins "
               "with '[' stands behind its level: none = [a-z]");
        return;
    }
    size_t close = (size_t)(bracket - line->text);
    size_t after = skip_space(line, close + 1);
    bool comment = after > close + 1 && after < line->length && is_comment_byte(line->text[after]);
    if (after < line->length && !comment) {
        report(scanner, after,
               "text behind the section's ']'; put it on a line of its own (a "
               "comment begins with a blank and ';' or '#')");
        return;
    }
    line->start = skip_space(line, open + 1);
    line->end = trim_end(line, line->start, close);
    size_t inner_comment = find_comment(line, open + 1);
    if (inner_comment < close) {
        report(scanner, inner_comment,
               "a comment begins inside the section's brackets; close them "
               "with ']' first");
        return;
    }
    if (line->start >= line->end) {
        report(scanner, open, "a section without a name; write for example [scope NAME]");
        return;
    }
    if (line->end - line->start > MAX_NAME) {
        report(scanner, line->start + MAX_NAME,
               "the section's name is longer than %d bytes; shorten it", MAX_NAME);
        return;
    }
    line->kind = INI_SECTION;
}

static bool is_key_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || byte == '.';
}

static bool check_key(struct scanner *scanner)
{
    struct ini_line *line = scanner->line;
    if (line->start == line->end) {
        report(scanner, line->start, "nothing stands before '='; write KEY = VALUE");
        return false;
    }
    for (size_t at = line->start; at < line->end; at++) {
        if (is_key_byte(line->text[at]))
            continue;
        report(scanner, at, "%s",
               line->holds_patterns
                   ? "the level comes first, then '=' and the pattern: none = PATTERN"
                   : "a key holds only letters, digits, '_', '-' and '.'; write KEY = VALUE");
        return false;
    }
    if (line->end - line->start > MAX_NAME) {
        report(scanner, line->start + MAX_NAME, "the key is longer than %d bytes; shorten it",
               MAX_NAME);
        return false;
    }
    return true;
}

/* The value between the quotes of which the first stands at `open`. */
static bool scan_quoted(struct scanner *scanner, size_t open)
{
    struct ini_line *line = scanner->line;
    size_t at = open + 1;
    while (at < line->length && line->text[at] != '"')
        at += line->text[at] == '\\' && at + 1 < line->length ? 2 : 1;
    if (at >= line->length) {
        report(scanner, open,
               "the quote is never closed; close it with '\"', or write \\\" if the "
               "value begins with a quote");
        return false;
    }
    line->quoted = true;
    line->value_start = open + 1;
    line->value_end = at;
    size_t after = skip_space(line, at + 1);
    bool comment = after > at + 1 && after < line->length && is_comment_byte(line->text[after]);
    if (after == line->length || (comment && !line->holds_patterns))
        return true;
    report(scanner, after,
           "text behind the closing quote; quote the whole value (\\\" is a quote "
           "inside), and put a comment on a line of its own");
    return false;
}

static bool scan_unquoted(struct scanner *scanner, size_t start)
{
    struct ini_line *line = scanner->line;
    size_t comment = find_comment(line, start);
    bool last = comment + 1 >= line->length;
    if (comment < line->length && line->holds_patterns) {
        report(scanner, comment,
               "is '%c' a comment or part of the pattern? Quote the value, or put the comment on a "
               "line of its own",
               line->text[comment]);
        return false;
    }
    if (!last && !is_space(line->text[comment + 1])) {
        report(scanner, comment,
               "is '%c' a comment or part of the value? Quote the value, or put a blank behind "
               "'%c'",
               line->text[comment], line->text[comment]);
        return false;
    }
    line->value_start = start;
    line->value_end = trim_end(line, start, comment);
    return true;
}

static void scan_setting(struct scanner *scanner, size_t start)
{
    struct ini_line *line = scanner->line;
    line->kind = INI_BROKEN;
    line->start = start;
    size_t equals = start;
    while (equals < line->length && line->text[equals] != '=' && line->text[equals] != ':')
        equals++;
    if (equals == line->length) {
        report(scanner, start,
               "neither a [section], a KEY = VALUE nor a comment; put '=' between "
               "key and value");
        return;
    }
    line->end = trim_end(line, start, equals);
    if (!check_key(scanner))
        return;
    if (line->text[equals] == ':') {
        report(scanner, equals, "':' does not separate key and value here; write '='");
        return;
    }
    size_t value = skip_space(line, equals + 1);
    bool quoted = value < line->length && line->text[value] == '"';
    if (quoted ? scan_quoted(scanner, value) : scan_unquoted(scanner, value))
        line->kind = INI_SETTING;
}

void ini_line_scan(struct ini_line *line, struct diagnostics *diagnostics)
{
    struct scanner scanner = {line, diagnostics};
    size_t start = skip_space(line, 0);
    line->kind = INI_BROKEN;
    bool section = start < line->length && line->text[start] == '[';
    if (!check_bytes(&scanner)) {
        line->kind = section ? INI_BROKEN_SECTION : INI_BROKEN;
        return;
    }
    if (start == line->length || is_comment_byte(line->text[start]))
        line->kind = INI_BLANK;
    else if (section)
        scan_section(&scanner, start);
    else
        scan_setting(&scanner, start);
}

/* Every line is written from the parts that were found, without comments, so that there is nothing
 * left for inih to understand otherwise. */
void ini_line_write(const struct ini_line *line, struct strbuf *buffer)
{
    const char *text = line->text;
    if (line->kind == INI_SECTION) {
        strbuf_add_text(buffer, "[");
        strbuf_add(buffer, text + line->start, line->end - line->start);
        strbuf_add_text(buffer, "]");
    } else if (line->kind == INI_SETTING) {
        strbuf_add(buffer, text + line->start, line->end - line->start);
        strbuf_add_text(buffer, line->quoted ? "=\"" : "=");
        size_t value = buffer->length;
        strbuf_add(buffer, text + line->value_start, line->value_end - line->value_start);
        for (size_t i = value; i < buffer->length && line->quoted; i++)
            if (buffer->bytes[i] == ';')
                buffer->bytes[i] = INI_PROTECTED_SEMICOLON;
        if (line->quoted)
            strbuf_add_text(buffer, "\"");
    }
}

bool ini_line_agrees(const struct ini_line *line, const char *key, const char *value)
{
    cleanup_strbuf struct strbuf expected = {0}, given = {0};
    ini_line_write(line, &expected);
    strbuf_add_format(&given, "%s=%s", key, value);
    return expected.length > 0 && expected.length == given.length &&
           memcmp(expected.bytes, given.bytes, given.length) == 0;
}

static bool is_escaped_quote(const struct ini_line *line, size_t at)
{
    return line->quoted && line->text[at] == '\\' && line->text[at + 1] == '"';
}

static bool is_escape(const struct ini_line *line, size_t at)
{
    return line->quoted && line->text[at] == '\\' && at + 1 < line->value_end;
}

void ini_line_value(const struct ini_line *line, struct strbuf *value)
{
    for (size_t at = line->value_start; at < line->value_end;) {
        bool quote = is_escaped_quote(line, at);
        size_t size = is_escape(line, at) ? 2 : 1;
        strbuf_add(value, line->text + at + quote, size - quote);
        at += size;
    }
}

unsigned ini_line_column(const struct ini_line *line, size_t offset)
{
    size_t at = line->value_start, made = 0;
    while (at < line->value_end && made < offset) {
        size_t size = is_escape(line, at) ? 2 : 1;
        size_t bytes = size - is_escaped_quote(line, at);
        if (made + bytes > offset)
            return (unsigned)(at + (offset - made)) + 1;
        made += bytes;
        at += size;
    }
    return (unsigned)at + 1;
}
