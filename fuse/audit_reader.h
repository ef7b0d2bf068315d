/* Reading what was recorded of a scope: its audit files, the oldest first. */
#ifndef SCOPEFS_FUSE_AUDIT_READER_H
#define SCOPEFS_FUSE_AUDIT_READER_H

#include "scopefs/audit_line.h"

#include "scopefs/error.h"

#include <stdbool.h>

typedef void audit_visitor(void *data, const struct audit_line *line);

/* Visits every line. 0, or -1 with *error set when nothing was ever recorded of such a scope. With
 * `follow`, it goes on with what comes, also when there is nothing yet, and only returns with an
 * error. */
int audit_read(const char *scope, bool follow, audit_visitor *visit, void *data,
               struct error **error);

#endif
