/* Whether a view is served, also while it is about to end. */
#ifndef SCOPEFS_FUSE_VIEW_LIFE_H
#define SCOPEFS_FUSE_VIEW_LIFE_H

#include "roster.h"

enum view_life {
    VIEW_LIVES,
    VIEW_IS_DEAD, /* mounted, and nobody serves it */
    VIEW_IS_GONE, /* not mounted any more */
};

/* When one of a view's two processes dies the other one ends moments later, with its lock and what
 * it has made: that is waited for. */
enum view_life view_life(const struct roster_view *view);

#endif
