#include "take_down.h"

#include "roster.h"
#include "unmount.h"
#include "view_end.h"

#include "scopefs/mem.h"

#include <stdio.h>

static bool is_wanted(const struct take_down *wanted, const struct roster_view *view)
{
    if (wanted->all && view->has_record && strcmp(view->record.config, wanted->config_file) == 0)
        return true;
    for (size_t i = 0; i < wanted->count; i++)
        if (roster_view_is_of(view, wanted->scopes[i], wanted->config_file))
            return true;
    return false;
}

static void tell(const struct take_down *wanted, const struct roster_view *view,
                 const char *message)
{
    fprintf(stderr, "%s: %s: %s\n", wanted->command, view->row->source, message);
}

static int unmount_one(const struct take_down *wanted, const struct mount_row *row,
                       struct elsewhere *elsewhere, struct error **error)
{
    return wanted->lazy ? unmount_view(row->point, true, error)
                        : view_end_begin(row, elsewhere, error);
}

/* They end while others are still being unmounted. Returns how many do not. */
static int await_ends(const struct take_down *wanted, const struct roster *roster, const bool *gone)
{
    int failed = 0;
    int64_t deadline = view_end_deadline();
    for (size_t i = 0; i < roster->count; i++) {
        if (!gone[i] ||
            view_end_wait(roster->views[i].row, roster->views[i].record.supervisor, deadline))
            continue;
        tell(wanted, &roster->views[i], "is unmounted, but its supervisor has not ended");
        failed++;
    }
    return failed;
}

int take_down(const struct take_down *wanted, struct error **error)
{
    cleanup_roster struct roster roster = {0};
    cleanup_elsewhere struct elsewhere elsewhere = {0};
    int failed = 0;
    if (roster_read(&roster, error) < 0)
        return -1;
    elsewhere_read(&elsewhere);
    bool *gone = xcalloc(roster.count + 1, sizeof(bool));
    for (size_t i = roster.count; i-- > 0;) {
        const struct roster_view *view = &roster.views[i];
        cleanup_error struct error *problem = NULL;
        if (!is_wanted(wanted, view))
            continue;
        gone[i] = unmount_one(wanted, view->row, &elsewhere, &problem) == 0;
        if (!gone[i]) {
            tell(wanted, view, problem->message);
            failed++;
        } else if (!wanted->quiet) {
            printf("%s: unmounted from %s\n", view->row->source, view->row->point);
        }
    }
    if (!wanted->lazy)
        failed += await_ends(wanted, &roster, gone);
    free(gone);
    return failed;
}
