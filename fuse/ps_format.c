#include "ps_format.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <pwd.h>
#include <stdio.h>
#include <time.h>

enum { COLUMNS = 16, MOUNT_COLUMN = 14 };

static const char *const titles[COLUMNS] = {
    "SCOPE", "STATE", "USER",    "PID",   "UPTIME", "MEMORY", "OPEN",  "NODES",
    "OPS",   "OPS/S", "REFUSED", "BOXES", "SHELLS", "POLICY", "MOUNT", "SOURCE"};

void ps_lines_free(struct ps_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (lines[i].has_status)
            status_free(&lines[i].status);
    free(lines);
}

static double now_in_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void ps_rates_note(struct ps_rates *rates, const struct ps_line *lines, size_t count)
{
    free(rates->counts);
    rates->counts = xcalloc(count + 1, sizeof(*rates->counts));
    rates->count = 0;
    rates->time = now_in_seconds();
    for (size_t i = 0; i < count; i++)
        if (lines[i].has_status)
            rates->counts[rates->count++] = (struct ps_count){
                lines[i].view->row->major, lines[i].view->row->minor, lines[i].status.operations};
}

void ps_rates_free(struct ps_rates *rates)
{
    free(rates->counts);
    *rates = (struct ps_rates){0};
}

/* Since the last look; since the view is up when there was none. */
static double rate_of(const struct ps_line *line, const struct ps_rates *rates)
{
    const struct mount_row *row = line->view->row;
    for (size_t i = 0; i < rates->count; i++) {
        const struct ps_count *before = &rates->counts[i];
        double passed = now_in_seconds() - rates->time;
        if (before->major == row->major && before->minor == row->minor && passed > 0)
            return (double)(line->status.operations - before->operations) / passed;
    }
    double up = difftime(time(NULL), line->view->record.started);
    return up > 0 ? (double)line->status.operations / up : (double)line->status.operations;
}

static char *user_name(uid_t user)
{
    const struct passwd *entry = getpwuid(user);
    return entry ? xstrdup(entry->pw_name) : xasprintf("%u", user);
}

static char *uptime_text(time_t started)
{
    long seconds = (long)difftime(time(NULL), started);
    if (seconds < 60)
        return xasprintf("%lds", seconds < 0 ? 0 : seconds);
    if (seconds < 3600)
        return xasprintf("%ldm%02lds", seconds / 60, seconds % 60);
    if (seconds < 86400)
        return xasprintf("%ldh%02ldm", seconds / 3600, seconds / 60 % 60);
    return xasprintf("%ldd%02ldh", seconds / 86400, seconds / 3600 % 24);
}

static char *quoted(const char *text)
{
    struct strbuf buffer = {0};
    strbuf_add_quoted(&buffer, text, strlen(text));
    return strbuf_steal(&buffer);
}

static void fill_cells(char **cells, const struct ps_line *line, const struct ps_rates *rates)
{
    const struct roster_view *view = line->view;
    const struct view_status *status = &line->status;
    cells[0] = quoted(view->row->source);
    cells[1] = xstrdup(line->state);
    cells[2] = user_name(view->row->user);
    cells[3] = view->has_record ? xasprintf("%ld", (long)view->record.supervisor) : xstrdup("-");
    cells[4] =
        view->has_record && view->record.started ? uptime_text(view->record.started) : xstrdup("-");
    cells[11] = xasprintf("%zu", line->sandboxes);
    cells[12] = xasprintf("%zu", line->sessions);
    cells[MOUNT_COLUMN] = quoted(view->row->point);
    if (!line->has_status) {
        for (size_t i = 5; i < COLUMNS; i++)
            if (!cells[i])
                cells[i] = xstrdup("-");
        return;
    }
    cells[5] = status->memory_kib < 0 ? xstrdup("-") : xasprintf("%ldK", status->memory_kib);
    cells[6] = xasprintf("%llu", status->handles);
    cells[7] = xasprintf("%llu", status->nodes);
    cells[8] = xasprintf("%llu", status->operations);
    cells[9] = xasprintf("%.1f", rate_of(line, rates));
    cells[10] = xasprintf("%llu", status->refusals);
    cells[13] = xstrdup(status->policy_state);
    cells[15] = quoted(status->source);
}

void ps_print_table(const struct ps_line *lines, size_t count, const struct ps_rates *rates)
{
    char *(*cells)[COLUMNS] = xcalloc(count + 1, sizeof(*cells));
    size_t width[COLUMNS];
    for (size_t column = 0; column < COLUMNS; column++) {
        cells[0][column] = xstrdup(titles[column]);
        width[column] = strlen(titles[column]);
    }
    for (size_t i = 0; i < count; i++) {
        fill_cells(cells[i + 1], &lines[i], rates);
        for (size_t column = 0; column < COLUMNS; column++)
            if (strlen(cells[i + 1][column]) > width[column])
                width[column] = strlen(cells[i + 1][column]);
    }
    for (size_t i = 0; i < count + 1; i++) {
        for (size_t column = 0; column < COLUMNS; column++) {
            bool is_last = column == COLUMNS - 1;
            printf("%-*s%s", is_last ? 0 : (int)width[column], cells[i][column],
                   is_last ? "\n" : "  ");
            free(cells[i][column]);
        }
    }
    free(cells);
}

static void add_text(struct strbuf *line, const char *key, const char *value)
{
    strbuf_add_format(line, ",\"%s\":", key);
    strbuf_add_json(line, value, strlen(value));
}

void ps_print_json(const struct ps_line *lines, size_t count, const struct ps_rates *rates)
{
    for (size_t i = 0; i < count; i++) {
        cleanup_strbuf struct strbuf line = {0};
        const struct roster_view *view = lines[i].view;
        const struct view_status *status = &lines[i].status;
        cleanup_free char *user = user_name(view->row->user);
        strbuf_add_format(&line, "{\"state\":\"%s\"", lines[i].state);
        add_text(&line, "scope", view->row->source);
        add_text(&line, "mount", view->row->point);
        add_text(&line, "user", user);
        strbuf_add_format(&line, ",\"sandboxes\":%zu,\"sessions\":%zu", lines[i].sandboxes,
                          lines[i].sessions);
        if (view->has_record)
            strbuf_add_format(&line, ",\"pid\":%ld,\"started\":%lld,\"uptime_seconds\":%.0f",
                              (long)view->record.supervisor, (long long)view->record.started,
                              difftime(time(NULL), view->record.started));
        if (lines[i].has_status) {
            add_text(&line, "source", status->source);
            add_text(&line, "policy_file", status->policy_file);
            add_text(&line, "policy", status->policy_state);
            add_text(&line, "passthrough", status->passthrough);
            strbuf_add_format(&line,
                              ",\"server_pid\":%ld,\"memory_kib\":%ld,\"open_handles\":%llu,"
                              "\"nodes\":%llu,\"operations\":%llu,\"operations_per_second\":%.1f,"
                              "\"refusals\":%llu",
                              (long)status->server, status->memory_kib, status->handles,
                              status->nodes, status->operations, rate_of(&lines[i], rates),
                              status->refusals);
        }
        printf("%s}\n", line.bytes);
    }
}
