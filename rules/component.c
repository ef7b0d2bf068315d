#include "component.h"

#include "expression.h"

#include "scopefs/mem.h"

#include <limits.h>

bool element_matches(const struct element *element, unsigned char byte, bool ignore_case)
{
    if (element->kind == ELEMENT_ONE)
        return true;
    if (element->kind == ELEMENT_BYTE)
        return (ignore_case ? fold_byte(element->byte) : element->byte) == byte;
    bool in_set = byte_set_has(element->set, byte);
    if (ignore_case && byte >= 'a' && byte <= 'z')
        in_set = in_set || byte_set_has(element->set, (unsigned char)(byte ^ 0x20));
    return in_set != element->negated;
}

/* A component's elements as [0, head) literal, [head, first_star) others, some with stars, then
 * [last_star + 1, tail) others and [tail, count) literal. Without a star all others come first. */
struct parts {
    size_t head, first_star, last_star, tail;
};

static struct parts find_parts(const struct glob_component *glob)
{
    struct parts parts = {.first_star = glob->count, .last_star = glob->count, .tail = glob->count};
    for (size_t i = glob->count; i-- > 0;) {
        if (glob->elements[i].kind != ELEMENT_STAR)
            continue;
        parts.first_star = i;
        if (parts.last_star == glob->count)
            parts.last_star = i;
    }
    while (parts.head < glob->count && glob->elements[parts.head].kind == ELEMENT_BYTE)
        parts.head++;
    while (parts.tail > parts.head && glob->elements[parts.tail - 1].kind == ELEMENT_BYTE)
        parts.tail--;
    return parts;
}

static void measure(struct component *component, const struct glob_component *glob,
                    bool ignore_case)
{
    component->fixed_length = true;
    for (size_t i = 0; i < glob->count; i++) {
        const struct element *element = &glob->elements[i];
        if (element->kind == ELEMENT_STAR)
            component->fixed_length = false;
        else
            component->minimum++;
        if (element->kind == ELEMENT_BYTE)
            component->required |= byte_bit(ignore_case ? fold_byte(element->byte) : element->byte);
    }
}

static unsigned char *copy_bytes(const struct glob_component *glob, size_t start, size_t end,
                                 bool ignore_case)
{
    unsigned char *bytes = xmalloc(end - start);
    for (size_t i = start; i < end; i++) {
        unsigned char byte = glob->elements[i].byte;
        bytes[i - start] = ignore_case ? fold_byte(byte) : byte;
    }
    return bytes;
}

static struct byte_set *copy_sets(const struct glob_component *glob, size_t start, size_t end,
                                  bool ignore_case)
{
    struct byte_set *sets = xcalloc(end - start, sizeof(*sets));
    for (size_t i = start; i < end; i++)
        for (unsigned byte = 0; byte < 256; byte++)
            if (element_matches(&glob->elements[i], (unsigned char)byte, ignore_case))
                byte_set_add(&sets[i - start], (unsigned char)byte);
    return sets;
}

static void copy_parts(struct component *component, const struct glob_component *glob,
                       const struct parts *parts, bool ignore_case)
{
    bool has_star = parts->first_star < glob->count;
    size_t first_end = has_star ? parts->first_star : parts->tail;
    size_t last_start = has_star ? parts->last_star + 1 : parts->tail;
    component->head_length = parts->head;
    component->first_count = first_end - parts->head;
    component->last_count = parts->tail - last_start;
    component->tail_length = glob->count - parts->tail;
    component->head = copy_bytes(glob, 0, parts->head, ignore_case);
    component->first = copy_sets(glob, parts->head, first_end, ignore_case);
    component->last = copy_sets(glob, last_start, parts->tail, ignore_case);
    component->tail = copy_bytes(glob, parts->tail, glob->count, ignore_case);
}

static enum component_kind kind_of(const struct glob_component *glob, const struct parts *parts)
{
    if (parts->head == glob->count)
        return COMPONENT_LITERAL;
    if (parts->first_star < parts->last_star)
        return COMPONENT_EXPRESSION;
    return glob->count == 1 && parts->first_star == 0 ? COMPONENT_ANY : COMPONENT_GLOB;
}

int component_compile(struct component *component, const struct glob_component *glob,
                      bool ignore_case, char *message, size_t size)
{
    struct parts parts = find_parts(glob);
    *component = (struct component){.kind = kind_of(glob, &parts)};
    measure(component, glob, ignore_case);
    copy_parts(component, glob, &parts, ignore_case);
    if (component->kind != COMPONENT_EXPRESSION)
        return 0;
    component->expression = expression_compile(glob, ignore_case, message, size);
    return component->expression ? 0 : -1;
}

void component_free(struct component *component)
{
    free(component->head);
    free(component->tail);
    free(component->first);
    free(component->last);
    pcre2_code_free(component->expression);
}

static bool in_sets(const struct byte_set *sets, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!byte_set_has(&sets[i], (unsigned char)bytes[i]))
            return false;
    return true;
}

enum match_result component_match(const struct component *component, const char *name,
                                  size_t length, uint64_t present)
{
    if (length < component->minimum || (component->fixed_length && length != component->minimum) ||
        (component->required & ~present))
        return MATCH_NO;
    const char *first = name + component->head_length;
    const char *tail = name + length - component->tail_length;
    const char *last = tail - component->last_count;
    if (memcmp(component->head, name, component->head_length) != 0 ||
        memcmp(component->tail, tail, component->tail_length) != 0 ||
        !in_sets(component->first, first, component->first_count) ||
        !in_sets(component->last, last, component->last_count))
        return MATCH_NO;
    if (component->kind != COMPONENT_EXPRESSION)
        return MATCH_YES;
    return expression_match(component->expression, name, length);
}

bool name_fold(const char *name, size_t length, char *folded)
{
    if (length > NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)name[i] >= 0x80)
            return false;
        folded[i] = (char)fold_byte((unsigned char)name[i]);
    }
    return true;
}
