#include "pattern.h"

#include "braces.h"
#include "bracket.h"

#include <string.h>

struct parser {
    struct arena *arena; /* where the pattern lives */
    const struct expansion *text;
    struct pattern_error *error;
};

static bool refuse(struct parser *parser, size_t at, const char *message)
{
    parser->error->offset = parser->text->origins[at];
    parser->error->message = arena_strdup(parser->arena, message);
    return false;
}

static bool add_set(struct parser *parser, size_t *at, struct element *element)
{
    struct bracket bracket;
    if (!bracket_parse(parser->arena, parser->text->bytes, parser->text->length, at, &bracket,
                       parser->error))
        return false;
    struct byte_set *set = arena_alloc(parser->arena, sizeof(*set));
    *set = bracket.set;
    *element = (struct element){.kind = ELEMENT_SET, .set = set, .negated = bracket.negated};
    return true;
}

static bool add_escaped(struct parser *parser, size_t *at, struct element *element)
{
    unsigned char byte = (unsigned char)parser->text->bytes[*at + 1];
    if (byte == '/')
        return refuse(parser, *at, "'/' cannot be escaped, it always separates; write it plain");
    *element = (struct element){.kind = ELEMENT_BYTE, .byte = byte};
    *at += 2;
    return true;
}

/* Reads one element at *at. Stars in a row are one star. */
static bool parse_element(struct parser *parser, size_t *at, struct glob_component *component,
                          struct element *elements)
{
    struct element *element = &elements[component->count];
    unsigned char byte = (unsigned char)parser->text->bytes[*at];
    if (byte == '*' && component->count > 0 && element[-1].kind == ELEMENT_STAR) {
        ++*at;
        return true;
    }
    component->count++;
    if (byte == '\\')
        return add_escaped(parser, at, element);
    if (byte == '[')
        return add_set(parser, at, element);
    ++*at;
    *element = (struct element){.kind = ELEMENT_BYTE, .byte = byte};
    if (byte == '*')
        element->kind = ELEMENT_STAR;
    else if (byte == '?')
        element->kind = ELEMENT_ONE;
    return true;
}

/* "." and "..", also when they are written with backslashes. */
static bool is_dots(const struct glob_component *component)
{
    for (size_t i = 0; i < component->count; i++)
        if (component->elements[i].kind != ELEMENT_BYTE || component->elements[i].byte != '.')
            return false;
    return component->count <= 2;
}

static bool parse_component(struct parser *parser, size_t start, size_t end,
                            struct glob_component *component)
{
    if (start == end)
        return refuse(parser, start, "empty name between two slashes; write one slash");
    struct element *elements = arena_alloc(parser->arena, (end - start) * sizeof(*elements));
    component->elements = elements;
    for (size_t at = start; at < end;)
        if (!parse_element(parser, &at, component, elements))
            return false;
    if (is_dots(component))
        return refuse(parser, start,
                      "'.' and '..' have no meaning in a pattern; patterns start at the scope's "
                      "root");
    return true;
}

/* The end of the component that starts at `at`. A bracket expression holds no slash. */
static size_t component_end(const struct expansion *text, size_t at, size_t end)
{
    while (at < end && text->bytes[at] != '/')
        at += text->bytes[at] == '\\' && at + 1 < end ? 2 : 1;
    return at;
}

static bool is_double_star(const struct expansion *text, size_t start, size_t end)
{
    return end - start == 2 && memcmp(text->bytes + start, "**", 2) == 0;
}

/* Reads the components of the bytes [start, end), which are not empty. A component "**" makes the
 * one behind it floating; at the end it stands for any one name, since a rule covers what is below.
 */
static bool parse_components(struct parser *parser, size_t start, size_t end, bool floating,
                             struct alternative *alternative)
{
    const struct expansion *text = parser->text;
    struct glob_component *components =
        arena_alloc(parser->arena, (end - start + 1) * sizeof(*components));
    alternative->components = components;
    for (size_t at = start; at <= end;) {
        size_t stop = component_end(text, at, end);
        if (is_double_star(text, at, stop) && stop < end) {
            floating = true;
        } else {
            struct glob_component *component = &components[alternative->count++];
            if (!parse_component(parser, at, stop, component))
                return false;
            component->floating = floating;
            floating = false;
        }
        at = stop + 1;
    }
    return true;
}

static bool parse_alternative(struct parser *parser, struct alternative *alternative)
{
    const struct expansion *text = parser->text;
    size_t end = text->length;
    if (end == 0)
        return refuse(parser, 0, "an alternative of the braces leaves an empty pattern");
    if (text->bytes[0] == '!')
        return refuse(parser, 0,
                      "'!' is not used here: give the path a level of its own in a later rule, or "
                      "write \\! for a name that begins with it");
    if (end == 1 && text->bytes[0] == '/')
        return true;
    if (text->bytes[end - 1] == '/')
        end--;
    bool anchored = memchr(text->bytes, '/', end) != NULL;
    return parse_components(parser, text->bytes[0] == '/' ? 1 : 0, end, !anchored, alternative);
}

static const struct pattern *parse_all(struct parser *parser, const struct expansion *expansions)
{
    struct pattern *pattern = arena_alloc(parser->arena, sizeof(*pattern));
    struct alternative **last = &pattern->alternatives;
    for (const struct expansion *text = expansions; text; text = text->next) {
        parser->text = text;
        *last = arena_alloc(parser->arena, sizeof(**last));
        if (!parse_alternative(parser, *last))
            return NULL;
        last = &(*last)->next;
    }
    return pattern;
}

const struct pattern *pattern_parse(struct arena *arena, const char *text, size_t length,
                                    struct pattern_error *error)
{
    *error = (struct pattern_error){0};
    const char *message = NULL;
    if (length == 0)
        message = "empty pattern; write / for the whole scope";
    else if (memchr(text, '\0', length))
        message = "a pattern cannot hold a NUL byte";
    if (message) {
        error->message = arena_strdup(arena, message);
        return NULL;
    }

    cleanup_arena struct arena scratch = {0};
    const struct expansion *expansions = braces_expand(&scratch, text, length, error);
    if (!expansions) {
        error->message = arena_strdup(arena, error->message);
        return NULL;
    }
    struct parser parser = {.arena = arena, .error = error};
    return parse_all(&parser, expansions);
}
