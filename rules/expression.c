#include "expression.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <pthread.h>

/* A component needs at most some thousand steps on a name of 255 bytes, because no star is ever
 * tried again once what follows it was found. The limits are for what nobody thought of. */
#define MATCH_LIMIT    200000
#define DEPTH_LIMIT    2000
#define HEAP_LIMIT_KIB 256

static void add_set(struct strbuf *text, const struct element *element, bool ignore_case)
{
    bool empty = true;
    for (unsigned first = 0; first < 256; first++) {
        if (!element_matches(element, (unsigned char)first, ignore_case))
            continue;
        unsigned last = first;
        while (last < 255 && element_matches(element, (unsigned char)(last + 1), ignore_case))
            last++;
        strbuf_add_format(text, "%s\\x%02x-\\x%02x", empty ? "[" : "", first, last);
        empty = false;
        first = last;
    }
    strbuf_add_text(text, empty ? "(?!)" : "]");
}

static void add_element(struct strbuf *text, const struct element *element, bool ignore_case)
{
    if (element->kind == ELEMENT_BYTE)
        strbuf_add_format(text, "\\x%02x", ignore_case ? fold_byte(element->byte) : element->byte);
    else if (element->kind == ELEMENT_ONE)
        strbuf_add_text(text, ".");
    else
        add_set(text, element, ignore_case);
}

/* What follows a star up to the next one has a fixed length, so the first place where it fits is as
 * good as any later one, and an atomic group keeps it. What follows the last star ends the name. */
static void write_expression(struct strbuf *text, const struct glob_component *glob,
                             bool ignore_case)
{
    size_t last_star = glob->count;
    for (size_t i = 0; i < glob->count; i++)
        if (glob->elements[i].kind == ELEMENT_STAR)
            last_star = i;
    bool in_group = false;
    for (size_t i = 0; i < glob->count; i++) {
        if (glob->elements[i].kind != ELEMENT_STAR) {
            add_element(text, &glob->elements[i], ignore_case);
            continue;
        }
        if (in_group)
            strbuf_add_text(text, ")");
        in_group = i != last_star;
        strbuf_add_text(text, in_group ? "(?>.*?" : ".*");
    }
}

pcre2_code *expression_compile(const struct glob_component *glob, bool ignore_case, char *message,
                               size_t size)
{
    cleanup_strbuf struct strbuf text = {0};
    write_expression(&text, glob, ignore_case);
    uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL | PCRE2_NEVER_UTF |
                       PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;
    int number = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text.bytes, text.length, options, &number, &offset, NULL);
    if (!code) {
        pcre2_get_error_message(number, (PCRE2_UCHAR *)message, size);
        return NULL;
    }
    /* Without JIT (not built in, or memory may not be made executable) it is only slower. */
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return code;
}

/* Match data may not be shared by threads; the limits may. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t match_data_key;
static pcre2_match_context *limits; /* set by `once`, constant afterwards; NULL if that failed */

static void free_match_data(void *data)
{
    pcre2_match_data_free(data);
}

static void set_up(void)
{
    if (pthread_key_create(&match_data_key, free_match_data) != 0)
        return;
    limits = pcre2_match_context_create(NULL);
    if (!limits)
        return;
    pcre2_set_match_limit(limits, MATCH_LIMIT);
    pcre2_set_depth_limit(limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(limits, HEAP_LIMIT_KIB);
}

static pcre2_match_data *thread_match_data(void)
{
    pthread_once(&once, set_up);
    if (!limits)
        return NULL;
    pcre2_match_data *data = pthread_getspecific(match_data_key);
    if (data)
        return data;
    data = pcre2_match_data_create(1, NULL);
    if (data && pthread_setspecific(match_data_key, data) != 0) {
        pcre2_match_data_free(data);
        return NULL;
    }
    return data;
}

enum match_result expression_match(const pcre2_code *code, const char *name, size_t length)
{
    pcre2_match_data *data = thread_match_data();
    if (!data)
        return MATCH_FAILED;
    int result = pcre2_match(code, (PCRE2_SPTR)name, length, 0, 0, data, limits);
    if (result == PCRE2_ERROR_NOMATCH)
        return MATCH_NO;
    return result >= 0 ? MATCH_YES : MATCH_FAILED;
}
