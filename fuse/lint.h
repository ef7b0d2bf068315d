/*
 * What is allowed in a configuration but hardly meant: rules that can never decide, patterns that
 * match nothing, secrets and sockets that can be read, names of one file with different levels.
 * Everything found is a warning. The sources are looked at, but not changed.
 */
#ifndef SCOPEFS_FUSE_LINT_H
#define SCOPEFS_FUSE_LINT_H

#include "scopefs/config.h"

void lint_config(const struct config *config, struct diagnostics *diagnostics);

/* lint_rules.c: what the rules alone tell. */
void lint_rules(const struct config *config, const struct scope *scope,
                struct diagnostics *diagnostics);

/* lint_source.c: what they do to what is in the source now. */
void lint_source(const struct config *config, const struct scope *scope,
                 struct diagnostics *diagnostics);

#endif
