/* How `ps` shows views: a table for people, JSON lines for programs. */
#ifndef SCOPEFS_FUSE_PS_FORMAT_H
#define SCOPEFS_FUSE_PS_FORMAT_H

#include "roster.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>

struct ps_line {
    const struct roster_view *view; /* borrowed */
    const char *state; /* "up", "silent" (does not answer), "dead", "other" (somebody else's) */
    bool has_status;
    size_t sandboxes, sessions;
    struct view_status status;
};

void ps_lines_free(struct ps_line *lines, size_t count);

/* What the last look said, for operations per second. Empty at first. */
struct ps_rates {
    struct ps_count {
        unsigned major, minor;
        unsigned long long operations;
    } * counts;
    size_t count;
    double time; /* in seconds */
};

void ps_rates_note(struct ps_rates *rates, const struct ps_line *lines, size_t count);
void ps_rates_free(struct ps_rates *rates);

void ps_print_table(const struct ps_line *lines, size_t count, const struct ps_rates *rates);
void ps_print_json(const struct ps_line *lines, size_t count, const struct ps_rates *rates);

#endif
