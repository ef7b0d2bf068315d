#include "glob.h"

#include "scopefs/mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#define PATTERN_LIMIT 4096
#define MATCH_LIMIT   100000

struct glob {
    pcre2_code *code;
    pcre2_match_context *limits;
};

static void add_literal(struct strbuf *regex, char byte)
{
    if (byte && strchr("\\^$.[]|()?*+{}-", byte))
        strbuf_add(regex, "\\", 1);
    strbuf_add(regex, &byte, 1);
}

/* Translates "[...]"; how many bytes it has, or 0 when it is not closed and so stands for itself.
 */
static size_t add_class(struct strbuf *regex, const char *at)
{
    size_t end = at[1] == '!' || at[1] == '^' ? 2 : 1;
    end += at[end] == ']';
    end += strcspn(at + end, "]");
    if (at[end] != ']')
        return 0;
    /* No class crosses a slash. */
    strbuf_add_text(regex, "(?!/)[");
    for (size_t i = 1; i < end; i++) {
        if (i == 1 && (at[i] == '!' || at[i] == '^'))
            strbuf_add(regex, "^", 1);
        else if (at[i] == '\\' || at[i] == '[' || at[i] == ']' || at[i] == '^')
            add_literal(regex, at[i]);
        else
            strbuf_add(regex, at + i, 1);
    }
    strbuf_add(regex, "]", 1);
    return end + 1;
}

/* Translates what begins with a star; how many bytes that has. */
static size_t add_stars(struct strbuf *regex, const char *pattern, const char *at)
{
    size_t count = strspn(at, "*");
    bool starts = at == pattern || at[-1] == '/';
    if (count < 2 || !starts || (at[count] != '/' && at[count] != '\0')) {
        strbuf_add_text(regex, "[^/]*");
        return count;
    }
    if (at[count] == '\0') {
        strbuf_add_text(regex, ".*");
        return count;
    }
    strbuf_add_text(regex, "(?:.*/)?");
    return count + 1;
}

static void translate(struct strbuf *regex, const char *pattern)
{
    size_t braces = 0, length;
    for (const char *at = pattern; *at; at += length) {
        length = 1;
        if (*at == '*') {
            length = add_stars(regex, pattern, at);
        } else if (*at == '?') {
            strbuf_add_text(regex, "[^/]");
        } else if (*at == '[' && (length = add_class(regex, at)) > 0) {
            continue;
        } else if (*at == '{' && strchr(at, '}')) {
            strbuf_add_text(regex, "(?:");
            braces++;
        } else if (*at == '}' && braces) {
            strbuf_add_text(regex, ")");
            braces--;
        } else if (*at == ',' && braces) {
            strbuf_add_text(regex, "|");
        } else {
            length = *at == '\\' && at[1] ? 2 : 1;
            add_literal(regex, at[length - 1]);
        }
    }
    while (braces--)
        strbuf_add_text(regex, ")");
}

struct glob *glob_new(struct call *call, const char *pattern, bool anywhere)
{
    cleanup_strbuf struct strbuf regex = {0};
    int number;
    PCRE2_SIZE offset;
    pattern += strspn(pattern, "/");
    if (strncmp(pattern, "./", 2) == 0)
        pattern += 2;
    strbuf_add_text(&regex, anywhere && !strchr(pattern, '/') ? "^(?:.*/)?" : "^");
    strbuf_add_text(&regex, "(?:");
    translate(&regex, pattern);
    strbuf_add_text(&regex, anywhere ? ")(?:/.*)?$" : ")$");
    pcre2_code *code =
        strlen(pattern) > PATTERN_LIMIT
            ? NULL
            : pcre2_compile((PCRE2_SPTR)regex.bytes, regex.length,
                            PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY, &number, &offset, NULL);
    if (!code) {
        call_fail(call, CODE_INVALID_ARGUMENTS, NULL, NULL,
                  "'%.200s' is no pattern that can be used", pattern);
        return NULL;
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    struct glob *glob = xcalloc(1, sizeof(*glob));
    glob->code = code;
    glob->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(glob->limits, MATCH_LIMIT);
    return glob;
}

bool glob_matches(const struct glob *glob, const char *path)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int found =
        data ? pcre2_match(glob->code, (PCRE2_SPTR)path, strlen(path), 0, 0, data, glob->limits)
             : -1;
    pcre2_match_data_free(data);
    return found >= 0;
}

void glob_free(struct glob *glob)
{
    if (!glob)
        return;
    pcre2_code_free(glob->code);
    pcre2_match_context_free(glob->limits);
    free(glob);
}

int glob_list_add(struct call *call, struct glob_list *list, json_t *patterns)
{
    size_t index;
    json_t *pattern;
    json_array_foreach(patterns, index, pattern)
    {
        struct glob *glob = glob_new(call, json_string_value(pattern), true);
        if (!glob)
            return -1;
        list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
        list->items[list->count++] = glob;
    }
    return 0;
}

bool glob_list_matches(const struct glob_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++)
        if (glob_matches(list->items[i], path))
            return true;
    return false;
}

void glob_list_free(struct glob_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        glob_free(list->items[i]);
    free(list->items);
    *list = (struct glob_list){0};
}
