#include "component.h"

#include "expression.h"

#include "scopefs/mem.h"

static size_t leading_bytes(const struct glob_component *glob)
{
    size_t count = 0;
    while (count < glob->count && glob->elements[count].kind == ELEMENT_BYTE)
        count++;
    return count;
}

static size_t trailing_bytes(const struct glob_component *glob)
{
    size_t count = 0;
    while (count < glob->count && glob->elements[glob->count - 1 - count].kind == ELEMENT_BYTE)
        count++;
    return count;
}

static void measure(struct component *component, const struct glob_component *glob)
{
    component->fixed_length = true;
    for (size_t i = 0; i < glob->count; i++) {
        if (glob->elements[i].kind == ELEMENT_STAR)
            component->fixed_length = false;
        else
            component->minimum++;
    }
}

static void copy_affixes(struct component *component, const struct glob_component *glob,
                         bool ignore_case)
{
    component->head_length = leading_bytes(glob);
    component->tail_length = component->head_length == glob->count ? 0 : trailing_bytes(glob);
    component->head = xmalloc(component->head_length + component->tail_length);
    component->tail = component->head + component->head_length;
    for (size_t i = 0; i < component->head_length; i++)
        component->head[i] = fold_byte(glob->elements[i].byte, ignore_case);
    for (size_t i = 0; i < component->tail_length; i++) {
        size_t from = glob->count - component->tail_length + i;
        component->tail[i] = fold_byte(glob->elements[from].byte, ignore_case);
    }
}

static enum component_kind kind_of(const struct component *component,
                                   const struct glob_component *glob)
{
    size_t affixes = component->head_length + component->tail_length;
    if (affixes == glob->count)
        return COMPONENT_LITERAL;
    if (affixes + 1 < glob->count || component->fixed_length)
        return COMPONENT_EXPRESSION;
    return affixes == 0 ? COMPONENT_ANY : COMPONENT_AFFIXES;
}

int component_compile(struct component *component, const struct glob_component *glob,
                      bool ignore_case, char *message, size_t size)
{
    *component = (struct component){0};
    measure(component, glob);
    copy_affixes(component, glob, ignore_case);
    component->kind = kind_of(component, glob);
    if (component->kind != COMPONENT_EXPRESSION)
        return 0;
    component->expression = expression_compile(glob, ignore_case, message, size);
    return component->expression ? 0 : -1;
}

void component_free(struct component *component)
{
    free(component->head);
    pcre2_code_free(component->expression);
}

static bool same_bytes(const unsigned char *folded, const char *bytes, size_t length,
                       bool ignore_case)
{
    if (!ignore_case)
        return memcmp(folded, bytes, length) == 0;
    for (size_t i = 0; i < length; i++)
        if (folded[i] != fold_byte((unsigned char)bytes[i], true))
            return false;
    return true;
}

enum match_result component_match(const struct component *component, const char *name,
                                  size_t length, bool ignore_case)
{
    if (length < component->minimum || (component->fixed_length && length != component->minimum))
        return MATCH_NO;
    if (!same_bytes(component->head, name, component->head_length, ignore_case) ||
        !same_bytes(component->tail, name + length - component->tail_length, component->tail_length,
                    ignore_case))
        return MATCH_NO;
    if (component->kind != COMPONENT_EXPRESSION)
        return MATCH_YES;
    return expression_match(component->expression, name, length);
}
