/* The plan as a bwrap command line that a person can read, and paste into bash. */
#ifndef SCOPEFS_EXEC_DRY_RUN_H
#define SCOPEFS_EXEC_DRY_RUN_H

#include "identity.h"
#include "plan.h"
#include "scopefs/error.h"
#include "scopefs/strbuf.h"
#include "view_mount.h"

#include <stdio.h>

/* Appends a word as a shell reads it back: as it is, or in single quotes. */
void dry_run_add_quoted(struct strbuf *line, const char *word);

/* 0, or -1 with *error set. */
int dry_run_print(FILE *stream, const struct sandbox_plan *plan, const struct scope *scope,
                  const char *config_file, const struct view_mount *view,
                  const struct identity *identity, struct error **error);

#endif
