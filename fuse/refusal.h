/* Tells the owner what the rules refused and which rule did: one line in the log, never an answer
 * to the agent. At most a few per second are written; the rest are counted. */
#ifndef SCOPEFS_FUSE_REFUSAL_H
#define SCOPEFS_FUSE_REFUSAL_H

#include "guard.h"

/* `name` may be NULL: the node itself was refused. */
void refusal_log(struct view *view, struct node *node, const char *name, const struct state *state,
                 enum want want, const char *operation, int answer);

#endif
