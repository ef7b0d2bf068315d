/* Where the audit lines of a scope go: its file, syslog, the journal, or several of them. */
#ifndef SCOPEFS_AUDIT_SINK_H
#define SCOPEFS_AUDIT_SINK_H

#include "scopefs/audit_file.h"
#include "scopefs/audit_line.h"
#include "scopefs/audit_service.h"

#include "scopefs/error.h"

#include <stdbool.h>

/* Any of these together. */
enum log_target { LOG_TO_FILE = 1, LOG_TO_SYSLOG = 2, LOG_TO_JOURNAL = 4 };

struct audit_sink {
    unsigned targets; /* of enum log_target */
    struct audit_file file;
    int service_fds[AUDIT_SERVICES];         /* -1: not connected */
    unsigned long lost[AUDIT_SERVICES];      /* since the last line that was taken */
    bool file_has_failed;                    /* which was told */
    bool service_has_failed[AUDIT_SERVICES]; /* which was told, since it last worked */
};

/* Whether all targets can be reached. -1 with *error set. */
int audit_sink_probe(unsigned targets, struct error **error);

void audit_sink_open(struct audit_sink *sink, const char *scope, unsigned targets);

/* What a target does not take is told to it as dropped with the next line. */
void audit_sink_add(struct audit_sink *sink, const struct audit_line *line);

void audit_sink_close(struct audit_sink *sink);

#endif
