#include "reference_matcher.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 4096

/* Copies with a NUL behind; returns where that stands. */
static char *copy(char *to, const char *from, size_t length)
{
    memcpy(to, from, length);
    to[length] = '\0';
    return to + length;
}

/* --- one pattern without braces against one whole path --- */

static bool in_class(const char *name, size_t length, int byte)
{
    static const struct {
        const char *name;
        int (*test)(int);
    } classes[] = {{"alpha", isalpha}, {"digit", isdigit},  {"upper", isupper},
                   {"lower", islower}, {"alnum", isalnum},  {"punct", ispunct},
                   {"space", isspace}, {"xdigit", isxdigit}};
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strlen(classes[i].name) == length && memcmp(classes[i].name, name, length) == 0)
            return byte < 128 && classes[i].test(byte);
    fprintf(stderr, "the reference does not know [:%.*s:]\n", (int)length, name);
    abort();
}

/* `at` is behind '['. Sets *end behind ']'. */
static bool bracket_has(const char *at, unsigned char byte, const char **end)
{
    bool negated = *at == '!' || *at == '^', found = false;
    at += negated;
    for (bool first = true; first || *at != ']'; first = false) {
        if (at[0] == '[' && at[1] == ':') {
            const char *close = strstr(at, ":]");
            found = found || in_class(at + 2, (size_t)(close - at - 2), byte);
            at = close + 2;
            continue;
        }
        at += *at == '\\';
        unsigned char low = (unsigned char)*at++, high = low;
        if (at[0] == '-' && at[1] != ']') {
            at++;
            at += *at == '\\';
            high = (unsigned char)*at++;
        }
        found = found || (byte >= low && byte <= high);
    }
    *end = at + 1;
    return found != negated;
}

static bool starts_component(const char *whole, const char *at)
{
    return at == whole || at[-1] == '/';
}

/* `whole` is where the pattern began. */
static bool matches(const char *whole, const char *pattern, const char *path)
{
    if (*pattern == '\0')
        return *path == '\0';
    if (starts_component(whole, pattern) && strncmp(pattern, "**/", 3) == 0) {
        /* No directory, or one and again. */
        if (matches(whole, pattern + 3, path))
            return true;
        const char *slash = strchr(path, '/');
        return slash && matches(whole, pattern, slash + 1);
    }
    if (*pattern == '*') {
        if (matches(whole, pattern + 1, path))
            return true;
        return *path != '\0' && *path != '/' && matches(whole, pattern, path + 1);
    }
    if (*path == '\0')
        return false;
    if (*pattern == '?')
        return *path != '/' && matches(whole, pattern + 1, path + 1);
    if (*pattern == '[') {
        const char *end;
        bool has = bracket_has(pattern + 1, (unsigned char)*path, &end);
        return has && *path != '/' && matches(whole, end, path + 1);
    }
    if (*pattern == '\\')
        pattern++;
    return *pattern == *path && matches(whole, pattern + 1, path + 1);
}

/* The pattern against one path, neither of which has braces or begins with a slash in `path`. */
static bool matches_path(const char *pattern, const char *path)
{
    char text[MAX_TEXT];
    if (strcmp(pattern, "/") == 0)
        return *path == '\0';
    if (*path == '\0')
        return false;
    size_t length = strlen(pattern);
    if (pattern[length - 1] == '/')
        length--;
    bool anchored = memchr(pattern, '/', length) != NULL;
    copy(copy(text, "**/", anchored ? 0 : 3), pattern, length);
    const char *start = text[0] == '/' ? text + 1 : text;
    return matches(start, start, path);
}

/* --- braces --- */

/* Behind the escape, the bracket expression or the byte at `at`. */
static const char *skip_one(const char *at)
{
    if (*at == '\\')
        return at + 2;
    if (*at != '[')
        return at + 1;
    const char *end;
    bracket_has(at + 1, 'x', &end);
    return end;
}

static bool covers_expanded(const char *pattern, const char *path)
{
    char part[MAX_TEXT];
    if (matches_path(pattern, ""))
        return true;
    for (const char *end = path; *path; end++) {
        if (*end != '/' && *end != '\0')
            continue;
        copy(part, path, (size_t)(end - path));
        if (matches_path(pattern, part))
            return true;
        if (*end == '\0')
            break;
    }
    return false;
}

static bool covers_with_braces(const char *pattern, const char *path)
{
    const char *open = pattern;
    while (*open && *open != '{')
        open = skip_one(open);
    if (!*open)
        return covers_expanded(pattern, path);

    const char *ends[64], *at = open + 1;
    size_t count = 0;
    for (int depth = 1; depth > 0; at = skip_one(at)) {
        depth += (*at == '{') - (*at == '}');
        if (depth == 0 || (depth == 1 && *at == ','))
            ends[count++] = at;
    }
    const char *start = open + 1;
    for (size_t i = 0; i < count; i++) {
        char text[MAX_TEXT];
        char *made = copy(text, pattern, (size_t)(open - pattern));
        copy(copy(made, start, (size_t)(ends[i] - start)), at, strlen(at));
        if (covers_with_braces(text, path))
            return true;
        start = ends[i] + 1;
    }
    return false;
}

static void copy_lower(char *to, const char *from, bool lower)
{
    do {
        *to++ = lower ? (char)tolower((unsigned char)*from) : *from;
    } while (*from++);
}

bool reference_covers(const char *pattern, const char *path, bool ignore_case)
{
    char own_pattern[MAX_TEXT], own_path[MAX_TEXT];
    copy_lower(own_pattern, pattern, ignore_case);
    copy_lower(own_path, path, ignore_case);
    return covers_with_braces(own_pattern, own_path);
}

enum level reference_decide(const struct reference_rule *rules, size_t count,
                            enum level default_level, const char *path, bool ignore_case)
{
    enum level level = default_level;
    for (size_t i = 0; i < count; i++)
        if (!rules[i].is_ceiling && reference_covers(rules[i].pattern, path, ignore_case))
            level = rules[i].level;
    for (size_t i = 0; i < count; i++)
        if (rules[i].is_ceiling && rules[i].level < level &&
            reference_covers(rules[i].pattern, path, ignore_case))
            level = rules[i].level;
    return level;
}
