#include "lines.h"

#include "scopefs/mem.h"

static void add_rule(struct lines *lines, char *text)
{
    if (lines->rule_count < RULES_AT_MOST)
        lines->rules[lines->rule_count++] = text;
}

static void add_path(struct lines *lines, const char *text, size_t length)
{
    if (lines->path_count < PATHS_AT_MOST) {
        lines->paths[lines->path_count] = text;
        lines->path_lengths[lines->path_count++] = length;
    }
}

void lines_read(struct lines *lines, const uint8_t *data, size_t size)
{
    *lines = (struct lines){.memory = xmemdup0(data, size)};
    char *end = lines->memory + size;
    int in_paths = 0;
    for (char *at = lines->memory; at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        size_t length = (size_t)(stop - at);
        *stop = '\0';
        if (in_paths)
            add_path(lines, at, length);
        else if (length == 0)
            in_paths = 1;
        else
            add_rule(lines, at);
        at = stop + 1;
    }
}

void lines_free(struct lines *lines)
{
    free(lines->memory);
}
