/* Why a sandbox did not come up: finds out by a trial run, after the fact, so that a run that works
 * costs nothing. */
#ifndef SCOPEFS_EXEC_PROBE_H
#define SCOPEFS_EXEC_PROBE_H

#include "identity.h"
#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>

/* Always sets *error, to what this host lacks and the command that mends it. Returns -1. */
int probe_explain(const char *bwrap, bool share_network, const struct identity *identity,
                  struct error **error);

/* The path of bwrap outside of the scope's source, which the caller frees. NULL with *error set
 * when there is none, or one that would be run as root for everybody: nothing here needs that, and
 * faults of it were root's. */
char *probe_find_bwrap(const struct scope *scope, struct error **error);

#endif
