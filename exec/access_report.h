/*
 * The accesses that the rules of the view refused to one command, as the view's supervisor tells
 * them while it runs. What other commands do in the same view is left out as far as their processes
 * were still there to be told apart.
 */
#ifndef SCOPEFS_EXEC_ACCESS_REPORT_H
#define SCOPEFS_EXEC_ACCESS_REPORT_H

#include "scopefs/audit_line.h"
#include "scopefs/strbuf.h"
#include "view_mount.h"

#include <stdbool.h>

struct access_report {
    int fd;                      /* -1: nothing comes any more */
    bool is_known;               /* the supervisor has told all that there was */
    unsigned long pid_namespace; /* of the command; for the caller to set */
    struct strbuf bytes;         /* as they came */
    struct audit_line *items;    /* each once; `repeats` says how often it came again */
    size_t count;
    unsigned long lost; /* which are not among the items */
};

/* Begins to follow. Without a supervisor to ask nothing will be known, which is no error. */
void access_report_open(struct access_report *report, const struct view_mount *view);

/* Reads what there is. */
void access_report_read(struct access_report *report);

/* When the command has ended: waits until everything was told, and fills the items. */
void access_report_finish(struct access_report *report);

void access_report_free(struct access_report *report);

#endif
