#include "hits.h"

#include "scopefs/mem.h"

#include <string.h>

void hits_add(struct hits *hits, const struct hit *hit)
{
    if (hits->count == HITS_COUNT) {
        hits->is_incomplete = true;
        return;
    }
    if (hits->count == hits->room) {
        hits->room = hits->room ? 2 * hits->room : 256;
        hits->items = xreallocarray(hits->items, hits->room, sizeof(*hits->items));
    }
    hits->items[hits->count] = *hit;
    hits->items[hits->count].order = hits->count;
    hits->count++;
}

const char *hits_keep(struct hits *hits, const char *path)
{
    if (hits->path_count && strcmp(hits->paths[hits->path_count - 1], path) == 0)
        return hits->paths[hits->path_count - 1];
    hits->paths = xreallocarray(hits->paths, hits->path_count + 1, sizeof(*hits->paths));
    return hits->paths[hits->path_count++] = xstrdup(path);
}

static int by_path(const void *one, const void *other)
{
    const struct hit *first = one, *second = other;
    int order = first->path == second->path ? 0 : strcmp(first->path, second->path);
    if (order)
        return order;
    return first->order < second->order ? -1 : 1;
}

void hits_sort(struct hits *hits)
{
    if (hits->count)
        qsort(hits->items, hits->count, sizeof(*hits->items), by_path);
}

void hits_free(struct hits *hits)
{
    for (size_t i = 0; i < hits->path_count; i++)
        free(hits->paths[i]);
    free(hits->paths);
    free(hits->items);
    strbuf_free(&hits->bytes);
}
