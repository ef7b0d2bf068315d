/* New rules for a mounted view. */
#ifndef SCOPEFS_FUSE_RELOAD_H
#define SCOPEFS_FUSE_RELOAD_H

#include "view.h"

#include "scopefs/policy_pack.h"

/* Takes the policy over. When this returns, every request is judged by the new rules, none that was
 * judged by the old ones is still running, and the kernel has dropped what it had cached of paths
 * whose level changed. Called from the listener thread alone. */
void reload_policy(struct view *view, struct policy_copy *copy);

#endif
