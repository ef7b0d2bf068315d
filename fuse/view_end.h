/* Taking a view away for good: unmounting it when nobody uses it, and waiting for its processes. */
#ifndef SCOPEFS_FUSE_VIEW_END_H
#define SCOPEFS_FUSE_VIEW_END_H

#include "elsewhere.h"

#include "scopefs/error.h"

#include <stdint.h>

/* Unmounts it. -1 with *error set, which names who uses it, here or in another mount namespace;
 * `elsewhere` may be renewed while it waits for sandboxes that are just ending. */
int view_end_begin(const struct mount_row *row, struct elsewhere *elsewhere, struct error **error);

/* For how long the processes of views may go on, for all of them together. */
int64_t view_end_deadline(void);

/* Waits until the view's processes have ended, and ends them where nothing but a copy of the mount
 * in another namespace keeps them. False when they still run at the deadline. */
bool view_end_wait(const struct mount_row *row, pid_t supervisor, int64_t deadline);

#endif
