#include "braces.h"

#include "bracket.h"

#include <string.h>

#define MAX_DEPTH 64

static bool refuse(struct arena *arena, struct pattern_error *error, size_t offset,
                   const char *message)
{
    error->offset = offset;
    error->message = arena_strdup(arena, message);
    return false;
}

/* Moves *at behind the escape, the bracket expression or the plain byte that starts there. */
static bool skip_opaque(struct arena *arena, const char *text, size_t length, size_t *at,
                        struct pattern_error *error)
{
    if (text[*at] == '\\') {
        if (*at + 1 >= length)
            return refuse(arena, error, *at,
                          "nothing follows the backslash; write \\\\ for a backslash");
        *at += 2;
        return true;
    }
    if (text[*at] == '[') {
        struct bracket ignored;
        return bracket_parse(arena, text, length, at, &ignored, error);
    }
    *at += 1;
    return true;
}

static bool check_syntax(struct arena *arena, const char *text, size_t length,
                         struct pattern_error *error)
{
    struct {
        size_t offset;
        bool comma;
    } open[MAX_DEPTH];
    size_t depth = 0;
    for (size_t at = 0; at < length;) {
        char byte = text[at];
        if (byte == '{') {
            if (depth == MAX_DEPTH)
                return refuse(arena, error, at, "braces are nested too deeply; use several rules");
            open[depth].offset = at;
            open[depth++].comma = false;
        } else if (byte == '}' && depth == 0) {
            return refuse(arena, error, at, "'}' without '{'; write \\} for a brace in a name");
        } else if (byte == '}' && !open[--depth].comma) {
            return refuse(arena, error, open[depth].offset,
                          "braces with a single alternative; separate alternatives by commas, or "
                          "write \\{ and \\} for braces in a name");
        } else if (byte == ',' && depth > 0) {
            open[depth - 1].comma = true;
        }
        if (!skip_opaque(arena, text, length, &at, error))
            return false;
    }
    if (depth > 0)
        return refuse(arena, error, open[depth - 1].offset,
                      "'{' is never closed; close it with '}', or write \\{");
    return true;
}

struct expander {
    struct arena *arena;
    struct pattern_error *error;
    struct expansion *first, **last;
    size_t count;
};

static struct expansion *new_expansion(struct arena *arena, size_t length)
{
    struct expansion *made = arena_alloc(arena, sizeof(*made));
    made->bytes = arena_alloc(arena, length + 1);
    made->origins = arena_alloc(arena, (length + 1) * sizeof(*made->origins));
    made->length = length;
    return made;
}

static void copy_range(struct expansion *to, size_t *at, const struct expansion *from, size_t start,
                       size_t end)
{
    memcpy(to->bytes + *at, from->bytes + start, end - start);
    memcpy(to->origins + *at, from->origins + start, (end - start) * sizeof(*to->origins));
    *at += end - start;
}

/* `from` with its bytes [open, close] replaced by its bytes [start, end). */
static struct expansion *replace_group(struct arena *arena, const struct expansion *from,
                                       size_t open, size_t close, size_t start, size_t end)
{
    struct expansion *made =
        new_expansion(arena, open + (end - start) + (from->length - close - 1));
    size_t at = 0;
    copy_range(made, &at, from, 0, open);
    copy_range(made, &at, from, start, end);
    copy_range(made, &at, from, close + 1, from->length);
    made->origins[at] = from->origins[close + 1 < from->length ? from->length : end];
    return made;
}

/* Where the next unescaped '{', or the ',' or '}' that belongs to the group opened before `at`, is.
 * The syntax was checked, so skipping cannot fail. */
static size_t find_in_group(struct expander *expander, const struct expansion *text, size_t at,
                            const char *wanted)
{
    size_t depth = 0;
    while (at < text->length) {
        char byte = text->bytes[at];
        if (depth == 0 && strchr(wanted, byte))
            return at;
        if (byte == '{')
            depth++;
        else if (byte == '}')
            depth--;
        if (!skip_opaque(expander->arena, text->bytes, text->length, &at, expander->error))
            return text->length;
    }
    return text->length;
}

static bool expand(struct expander *expander, struct expansion *text)
{
    size_t open = find_in_group(expander, text, 0, "{");
    if (open == text->length) {
        if (expander->count++ == PATTERN_MAX_ALTERNATIVES)
            return refuse(expander->arena, expander->error, 0,
                          "the braces expand to more than 1024 patterns; use several rules");
        *expander->last = text;
        expander->last = &text->next;
        return true;
    }
    size_t close = find_in_group(expander, text, open + 1, "}");
    for (size_t start = open + 1; start <= close;) {
        size_t end = find_in_group(expander, text, start, ",}");
        if (!expand(expander, replace_group(expander->arena, text, open, close, start, end)))
            return false;
        start = end + 1;
    }
    return true;
}

struct expansion *braces_expand(struct arena *arena, const char *text, size_t length,
                                struct pattern_error *error)
{
    if (!check_syntax(arena, text, length, error))
        return NULL;
    struct expansion *whole = new_expansion(arena, length);
    memcpy(whole->bytes, text, length);
    for (size_t i = 0; i <= length; i++)
        whole->origins[i] = i;

    struct expander expander = {.arena = arena, .error = error};
    expander.last = &expander.first;
    return expand(&expander, whole) ? expander.first : NULL;
}
