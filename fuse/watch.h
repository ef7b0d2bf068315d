/*
 * Watches the directories that the kernel knows of the source, so that it may keep what it learnt
 * for long: when the host or another view changes something, it is told to drop that at once
 * (inotify(7)). What the view itself changed is recognised by the change time and keeps its place
 * in the caches. A directory that cannot be watched is cached for as short as without a watch.
 */
#ifndef SCOPEFS_FUSE_WATCH_H
#define SCOPEFS_FUSE_WATCH_H

#include "view.h"

#include "scopefs/error.h"

struct node;
struct watch;

/* Before the server is confined. NULL with *error set when the source is on a file system that does
 * not see all its changes (the network's, FUSE), or inotify has no instance left. */
struct watch *watch_new(const struct view *view, struct error **error);

/* Where its thread does not run, or runs no more. NULL is allowed. */
void watch_free(struct watch *watch);

/* Whether a user who has so many views can have another one watched, so that enough instances of
 * inotify are left for other programs. */
bool watch_is_polite(size_t views);

/* Starts the thread that waits for changes. 0 or an errno. */
int watch_start(struct view *view);

/* Watches the directory from now on, if it can be. To be called before anything is read of it that
 * the kernel shall keep; whether it worked is node_noticed. `fd` is the directory, -1: to be opened.
 * Does nothing in an unwatched view. */
void watch_directory(struct view *view, struct node *directory, int fd);

/* What happened in watched directories until now is told to the kernel before this returns. Not
 * while holding a lock of the view. Does nothing in an unwatched view. */
void watch_catch_up(struct view *view);

#endif
