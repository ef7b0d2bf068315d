#include "diff.h"

#include "scopefs/mem.h"

#include <stdbool.h>
#include <string.h>

#define CONTEXT 3
/* Beyond so many changed lines the middle of the texts is shown as replaced whole. */
#define MAX_DISTANCE 1000

struct line {
    const char *bytes;
    size_t length; /* with its newline */
};

struct lines {
    struct line *items;
    size_t count;
};

static struct lines split(const struct strbuf *text)
{
    size_t room = 256;
    struct lines lines = {.items = xreallocarray(NULL, room, sizeof(*lines.items))};
    const char *at = text->bytes, *end = text->bytes + text->length;
    while (at && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = newline ? (size_t)(newline + 1 - at) : (size_t)(end - at);
        if (lines.count == room) {
            room *= 2;
            lines.items = xreallocarray(lines.items, room, sizeof(*lines.items));
        }
        lines.items[lines.count++] = (struct line){at, length};
        at += length;
    }
    return lines;
}

static bool same(const struct line *one, const struct line *other)
{
    return one->length == other->length && memcmp(one->bytes, other->bytes, one->length) == 0;
}

/* Which lines of each text have no partner in the other one. */
struct marks {
    bool *old, *changed;
};

/* The part between the common beginning and the common end. */
struct part {
    const struct line *old, *changed;
    long old_count, changed_count;
    bool *old_marks, *changed_marks;
};

/* Goes the way back through the furthest points of each round (Myers, "An O(ND) Difference
 * Algorithm", 1986) and marks what it crosses. */
static void mark_way(const struct part *part, long *const *rounds, long distance)
{
    long x = part->old_count, y = part->changed_count;
    for (long d = distance; d > 0; d--) {
        const long *furthest = rounds[d - 1] + MAX_DISTANCE + 1;
        long diagonal = x - y;
        bool down =
            diagonal == -d || (diagonal != d && furthest[diagonal - 1] < furthest[diagonal + 1]);
        long before = down ? diagonal + 1 : diagonal - 1;
        long from_x = furthest[before], from_y = from_x - before;
        if (down)
            part->changed_marks[from_y] = true;
        else
            part->old_marks[from_x] = true;
        x = from_x;
        y = from_y;
    }
}

/* One round. True when the end is reached. */
static bool go_further(const struct part *part, long *furthest, long distance)
{
    for (long diagonal = -distance; diagonal <= distance; diagonal += 2) {
        bool down = diagonal == -distance ||
                    (diagonal != distance && furthest[diagonal - 1] < furthest[diagonal + 1]);
        long x = down ? furthest[diagonal + 1] : furthest[diagonal - 1] + 1;
        long y = x - diagonal;
        while (x < part->old_count && y < part->changed_count &&
               same(&part->old[x], &part->changed[y])) {
            x++;
            y++;
        }
        furthest[diagonal] = x;
        if (x >= part->old_count && y >= part->changed_count)
            return true;
    }
    return false;
}

#define ROUND_SIZE (2 * MAX_DISTANCE + 3)

static void mark_part(const struct part *part)
{
    long **rounds = xcalloc(MAX_DISTANCE + 1, sizeof(*rounds));
    long *furthest = xcalloc(ROUND_SIZE, sizeof(*furthest));
    long distance = 0;
    bool found = false;
    for (; distance <= MAX_DISTANCE; distance++) {
        found = go_further(part, furthest + MAX_DISTANCE + 1, distance);
        if (found)
            break;
        rounds[distance] = xcalloc(ROUND_SIZE, sizeof(**rounds));
        memcpy(rounds[distance], furthest, ROUND_SIZE * sizeof(*furthest));
    }
    if (found) {
        mark_way(part, rounds, distance);
    } else {
        memset(part->old_marks, true, (size_t)part->old_count);
        memset(part->changed_marks, true, (size_t)part->changed_count);
    }
    for (long d = 0; d <= MAX_DISTANCE; d++)
        free(rounds[d]);
    free(rounds);
    free(furthest);
}

static void mark(const struct lines *old, const struct lines *changed, const struct marks *marks)
{
    size_t start = 0, end = 0;
    size_t most = old->count < changed->count ? old->count : changed->count;
    while (start < most && same(&old->items[start], &changed->items[start]))
        start++;
    while (end < most - start &&
           same(&old->items[old->count - 1 - end], &changed->items[changed->count - 1 - end]))
        end++;
    const struct part part = {
        .old = old->items + start,
        .changed = changed->items + start,
        .old_count = (long)(old->count - start - end),
        .changed_count = (long)(changed->count - start - end),
        .old_marks = marks->old + start,
        .changed_marks = marks->changed + start,
    };
    if (part.old_count || part.changed_count)
        mark_part(&part);
}

static void add_line(struct strbuf *diff, char sign, const struct line *line)
{
    strbuf_add(diff, &sign, 1);
    strbuf_add(diff, line->bytes, line->length);
    if (line->bytes[line->length - 1] != '\n')
        strbuf_add_text(diff, "\n\\ No newline at end of file\n");
}

/* Both texts at a place where they meet. */
struct place {
    size_t old, changed;
};

static void add_hunk(struct strbuf *diff, const struct lines *old, const struct lines *changed,
                     const struct marks *marks, struct place from, struct place to)
{
    strbuf_add_format(diff, "@@ -%zu,%zu +%zu,%zu @@\n", from.old + (to.old > from.old),
                      to.old - from.old, from.changed + (to.changed > from.changed),
                      to.changed - from.changed);
    while (from.old < to.old || from.changed < to.changed) {
        if (from.old < to.old && marks->old[from.old]) {
            add_line(diff, '-', &old->items[from.old++]);
        } else if (from.changed < to.changed && marks->changed[from.changed]) {
            add_line(diff, '+', &changed->items[from.changed++]);
        } else {
            add_line(diff, ' ', &old->items[from.old++]);
            from.changed++;
        }
    }
}

/* Goes over changed lines, and those between changes that are close; returns how far. */
static struct place end_of_hunk(const struct lines *old, const struct lines *changed,
                                const struct marks *marks, struct place at)
{
    size_t quiet = 0;
    while (at.old < old->count || at.changed < changed->count) {
        bool gone = at.old < old->count && marks->old[at.old];
        bool new = at.changed < changed->count && marks->changed[at.changed];
        if (!gone && !new && ++quiet > 2 * CONTEXT)
            break;
        if (gone || new)
            quiet = 0;
        at.old += gone || !new;
        at.changed += new || !gone;
        if (gone && new)
            at.changed--;
    }
    size_t surplus = quiet > CONTEXT ? quiet - CONTEXT : 0;
    if (quiet > 2 * CONTEXT)
        surplus = CONTEXT;
    return (struct place){at.old - surplus, at.changed - surplus};
}

static void add_hunks(struct strbuf *diff, const char *name, const struct lines *old,
                      const struct lines *changed, const struct marks *marks)
{
    struct place at = {0, 0};
    bool is_first = true;
    while (at.old < old->count || at.changed < changed->count) {
        bool differs = (at.old < old->count && marks->old[at.old]) ||
                       (at.changed < changed->count && marks->changed[at.changed]);
        if (!differs) {
            at.old++;
            at.changed++;
            continue;
        }
        size_t back = at.old < CONTEXT ? at.old : CONTEXT;
        back = at.changed < back ? at.changed : back;
        struct place end = end_of_hunk(old, changed, marks, at);
        if (is_first)
            strbuf_add_format(diff, "--- %s\n+++ %s\n", name, name);
        is_first = false;
        add_hunk(diff, old, changed, marks, (struct place){at.old - back, at.changed - back}, end);
        at = end;
    }
}

void diff_add(struct strbuf *diff, const char *name, const struct strbuf *old,
              const struct strbuf *changed)
{
    struct lines old_lines = split(old), changed_lines = split(changed);
    struct marks marks = {xcalloc(old_lines.count + 1, sizeof(bool)),
                          xcalloc(changed_lines.count + 1, sizeof(bool))};
    mark(&old_lines, &changed_lines, &marks);
    add_hunks(diff, name, &old_lines, &changed_lines, &marks);
    free(marks.old);
    free(marks.changed);
    free(old_lines.items);
    free(changed_lines.items);
}
