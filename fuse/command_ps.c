#include "commands.h"
#include "elsewhere.h"
#include "ps_format.h"
#include "roster.h"
#include "status.h"

#include "scopefs/mem.h"
#include "scopefs/sandbox_file.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Answers are read while later supervisors are still being woken, within the limit of descriptors.
 */
enum { ASKED_AT_ONCE = 128, WATCH_SECONDS = 2 };

static const struct option_row option_rows[] = {
    {"json", 'j', NULL, "print one JSON object per view and line"},
    {"watch", 'w', NULL, "print again every 2 seconds, with operations per second"},
    HELP_ROW,
    {0},
};

const struct command ps_command = {
    .name = "scopefs ps",
    .synopsis = "[--json] [--watch] [SCOPE]...",
    .purpose = "Lists the views that are mounted on this host.",
    .options = option_rows,
};

struct ps_options {
    bool json, watch;
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    struct ps_options *options = context;
    (void)argument;
    (void)error;
    if (command_is_help(&ps_command, row))
        return 0;
    if (row->letter == 'j')
        options->json = true;
    else
        options->watch = true;
    return 0;
}

static bool is_wanted(const struct mount_row *row, char *const *names)
{
    bool wanted = !*names;
    for (; *names && !wanted; names++)
        wanted = strcmp(row->source, *names) == 0;
    return wanted;
}

static void fill_line(struct ps_line *line, const struct roster_view *view, int fd)
{
    *line = (struct ps_line){.view = view};
    line->has_status = fd >= 0 && status_take(fd, &line->status);
    if (line->has_status)
        line->state = "up";
    else if (view->has_record && view->record.is_locked)
        line->state = "silent";
    else
        line->state = roster_view_is_dead(view) ? "dead" : "other";
}

/* One line per wanted view; returns their number. The caller frees them (ps_lines_free). */
static size_t collect(const struct roster *roster, char *const *names, struct ps_line **lines)
{
    const struct roster_view **wanted = xcalloc(roster->count + 1, sizeof(*wanted));
    size_t count = 0;
    for (size_t i = 0; i < roster->count; i++)
        if (is_wanted(roster->views[i].row, names))
            wanted[count++] = &roster->views[i];
    *lines = xcalloc(count + 1, sizeof(**lines));
    for (size_t first = 0; first < count; first += ASKED_AT_ONCE) {
        int fds[ASKED_AT_ONCE];
        size_t end = first + ASKED_AT_ONCE < count ? first + ASKED_AT_ONCE : count;
        for (size_t i = first; i < end; i++)
            fds[i - first] = wanted[i]->has_record && wanted[i]->record.is_locked
                                 ? status_ask(wanted[i]->row)
                                 : -1;
        for (size_t i = first; i < end; i++)
            fill_line(&(*lines)[i], wanted[i], fds[i - first]);
    }
    free(wanted);
    return count;
}

static void print(const struct ps_line *lines, size_t count, const struct ps_options *options,
                  const struct ps_rates *rates)
{
    if (options->json)
        ps_print_json(lines, count, rates);
    else
        ps_print_table(lines, count, rates);
    fflush(stdout);
}

static size_t count_sessions(const struct sandbox_list *sandboxes, const struct mount_row *row)
{
    size_t count = 0;
    for (size_t i = 0; i < sandboxes->count; i++)
        if (sandboxes->items[i].view_major == row->major &&
            sandboxes->items[i].view_minor == row->minor)
            count++;
    return count;
}

static void count_users(struct ps_line *lines, size_t count)
{
    cleanup_elsewhere struct elsewhere elsewhere = {0};
    cleanup_sandbox_list struct sandbox_list sandboxes = {0};
    elsewhere_read(&elsewhere);
    /* What cannot be read has no sessions. */
    sandbox_list_read(&sandboxes, NULL);
    for (size_t i = 0; i < count; i++) {
        lines[i].sandboxes = elsewhere_count_sandboxes(&elsewhere, lines[i].view->row);
        lines[i].sessions = count_sessions(&sandboxes, lines[i].view->row);
    }
}

static int show(const struct ps_options *options, char *const *names, struct ps_rates *rates,
                struct error **error)
{
    cleanup_roster struct roster roster = {0};
    struct ps_line *lines;
    if (roster_read(&roster, error) < 0)
        return -1;
    size_t count = collect(&roster, names, &lines);
    count_users(lines, count);
    if (options->watch && !options->json && isatty(STDOUT_FILENO))
        fputs("\033[H\033[2J", stdout);
    print(lines, count, options, rates);
    if (options->watch)
        ps_rates_note(rates, lines, count);
    ps_lines_free(lines, count);
    return 0;
}

int command_ps(int argc, char **argv)
{
    struct ps_options options = {0};
    struct ps_rates rates = {0};
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&ps_command, argc, argv, take_option, &options, &error);
    if (operands < 0)
        return command_usage(&ps_command, error->message);
    argv[1 + operands] = NULL;
    int failed = show(&options, argv + 1, &rates, &error);
    while (!failed && options.watch && !ferror(stdout)) {
        nanosleep(&(struct timespec){.tv_sec = WATCH_SECONDS}, NULL);
        failed = show(&options, argv + 1, &rates, &error);
    }
    ps_rates_free(&rates);
    return failed ? command_fail(&ps_command, error) : STATUS_OK;
}
