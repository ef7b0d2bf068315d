#include "bracket.h"

#include <string.h>

struct reader {
    const char *text;
    size_t length, at;
    struct arena *arena;
    struct pattern_error *error;
};

static bool refuse(struct reader *reader, size_t offset, const char *message)
{
    reader->error->offset = offset;
    reader->error->message = arena_strdup(reader->arena, message);
    return false;
}

static bool at_byte(const struct reader *reader, char byte)
{
    return reader->at < reader->length && reader->text[reader->at] == byte;
}

/* isalpha(3) and kin depend on the locale of the process; rules must not. */
static bool in_class(const char *name, unsigned char byte)
{
    bool upper = byte >= 'A' && byte <= 'Z', lower = byte >= 'a' && byte <= 'z';
    bool digit = byte >= '0' && byte <= '9', graph = byte > 0x20 && byte < 0x7f;
    if (strcmp(name, "alpha") == 0)
        return upper || lower;
    if (strcmp(name, "alnum") == 0)
        return upper || lower || digit;
    if (strcmp(name, "upper") == 0)
        return upper;
    if (strcmp(name, "lower") == 0)
        return lower;
    if (strcmp(name, "digit") == 0)
        return digit;
    if (strcmp(name, "xdigit") == 0)
        return digit || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
    if (strcmp(name, "space") == 0)
        return byte == ' ' || (byte >= '\t' && byte <= '\r');
    if (strcmp(name, "blank") == 0)
        return byte == ' ' || byte == '\t';
    if (strcmp(name, "punct") == 0)
        return graph && !(upper || lower || digit);
    if (strcmp(name, "graph") == 0)
        return graph;
    if (strcmp(name, "print") == 0)
        return graph || byte == ' ';
    return byte < 0x20 || byte == 0x7f; /* cntrl */
}

static bool is_class(const char *name)
{
    static const char *const names[] = {"alpha", "alnum", "upper", "lower", "digit", "xdigit",
                                        "space", "blank", "punct", "graph", "print", "cntrl"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* At the '[' of "[:": whether a ":]" closes it before any ']' on its own; else '[' is a plain byte.
 */
static bool class_ahead(const struct reader *reader, size_t *end)
{
    if (reader->at + 1 >= reader->length || reader->text[reader->at + 1] != ':')
        return false;
    size_t start = reader->at + 2;
    const char *close = memchr(reader->text + start, ']', reader->length - start);
    if (!close)
        return false;
    *end = (size_t)(close - reader->text);
    return *end > start && reader->text[*end - 1] == ':';
}

static bool read_class(struct reader *reader, size_t end, struct byte_set *set)
{
    size_t start = reader->at + 2;
    const char *name = arena_memdup0(reader->arena, reader->text + start, end - 1 - start);
    if (!is_class(name))
        return refuse(
            reader, reader->at,
            "unknown character class; there are alnum, alpha, blank, cntrl, digit, graph, "
            "lower, print, punct, space, upper and xdigit");
    for (unsigned byte = 0; byte < 256; byte++)
        if (in_class(name, (unsigned char)byte))
            byte_set_add(set, (unsigned char)byte);
    reader->at = end + 1;
    return true;
}

/* One byte of a set, which a backslash may escape. */
static bool read_byte(struct reader *reader, unsigned char *byte)
{
    if (at_byte(reader, '\\')) {
        reader->at++;
        if (reader->at >= reader->length)
            return refuse(reader, reader->at - 1,
                          "nothing follows the backslash; write \\\\ for a backslash");
    }
    if (at_byte(reader, '/'))
        return refuse(reader, reader->at,
                      "'/' inside [...] can never match, because a name holds none; take it out");
    *byte = (unsigned char)reader->text[reader->at++];
    return true;
}

static bool read_range_or_byte(struct reader *reader, struct byte_set *set)
{
    size_t start = reader->at;
    unsigned char first, last;
    if (!read_byte(reader, &first))
        return false;
    byte_set_add(set, first);
    bool range = at_byte(reader, '-') && reader->at + 1 < reader->length &&
                 reader->text[reader->at + 1] != ']';
    if (!range)
        return true;
    reader->at++;
    if (!read_byte(reader, &last))
        return false;
    if (last < first)
        return refuse(reader, start, "the range is reversed; write the lower byte first");
    for (unsigned byte = first; byte <= last; byte++)
        byte_set_add(set, (unsigned char)byte);
    return true;
}

bool bracket_parse(struct arena *arena, const char *text, size_t length, size_t *at,
                   struct bracket *bracket, struct pattern_error *error)
{
    struct reader reader = {
        .text = text, .length = length, .at = *at + 1, .arena = arena, .error = error};
    *bracket = (struct bracket){0};
    if (at_byte(&reader, '!') || at_byte(&reader, '^')) {
        bracket->negated = true;
        reader.at++;
    }
    /* A ']' that comes first stands for itself. */
    for (bool first = true; first || !at_byte(&reader, ']'); first = false) {
        size_t end;
        if (reader.at >= length)
            return refuse(&reader, *at, "'[' is never closed; close it with ']', or write \\[");
        if (at_byte(&reader, '[') && class_ahead(&reader, &end)) {
            if (!read_class(&reader, end, &bracket->set))
                return false;
        } else if (!read_range_or_byte(&reader, &bracket->set)) {
            return false;
        }
    }
    *at = reader.at + 1;
    return true;
}
