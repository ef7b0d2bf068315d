#include "take_down.h"

#include "roster.h"
#include "unmount.h"

#include "scopefs/mem.h"

#include <stdio.h>

/* How long a supervisor may take to end after its view is gone. */
enum { END_SECONDS = 10 };

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

int take_down(const struct take_down *wanted, struct error **error)
{
    cleanup_roster struct roster roster = {0};
    int failed = 0;
    if (roster_read(&roster, error) < 0)
        return -1;
    bool *gone = xcalloc(roster.count + 1, sizeof(bool));
    for (size_t i = roster.count; i-- > 0;) {
        const struct roster_view *view = &roster.views[i];
        cleanup_error struct error *problem = NULL;
        if (!is_wanted(wanted, view))
            continue;
        gone[i] = unmount_view(view->row->point, wanted->lazy, &problem) == 0;
        if (!gone[i]) {
            tell(wanted, view, problem->message);
            failed++;
        } else if (!wanted->quiet) {
            printf("%s: unmounted from %s\n", view->row->source, view->row->point);
        }
    }
    /* They end while others are still being unmounted. */
    for (size_t i = 0; i < roster.count; i++) {
        if (!gone[i] || wanted->lazy || run_file_wait(roster.views[i].row, END_SECONDS))
            continue;
        tell(wanted, &roster.views[i], "is unmounted, but its supervisor has not ended");
        failed++;
    }
    free(gone);
    return failed;
}
