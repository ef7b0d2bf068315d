/* Why a sandbox did not come up: finds out by a trial run, after the fact, so that a run that works
 * costs nothing. */
#ifndef SCOPEFS_EXEC_PROBE_H
#define SCOPEFS_EXEC_PROBE_H

#include "identity.h"
#include "scopefs/error.h"

#include <stdbool.h>

/* Always sets *error, to what this host lacks and the command that mends it. Returns -1. */
int probe_explain(const char *bwrap, bool share_network, const struct identity *identity,
                  struct error **error);

/* The message for a host without bwrap. Returns -1. */
int probe_explain_no_bwrap(struct error **error);

#endif
