/*
 * Directories that were made to mount on: RUNTIME/.run/made-HASH says so from before one is made
 * until it is removed. Whoever mounts there holds a lock on that file, so that a file without a
 * lock is a killed process's, and its directory can be taken away.
 */
#ifndef SCOPEFS_FUSE_MADE_PLACE_H
#define SCOPEFS_FUSE_MADE_PLACE_H

#include <stdbool.h>

/* Says that the directory, which is missing, is about to be made; or takes up one that somebody
 * left. Returns the locked descriptor, or -1 when there is nothing to take up, or somebody else has
 * it. */
int made_place_note(const char *path);
int made_place_take_up(const char *path);

/* Removes the directory, unless something is mounted on it or lies in it, and closes the
 * descriptor. A directory that is in use as a mount point stays noted. Whether it is gone. */
bool made_place_remove(int *fd, const char *path);

/* Removes all that killed processes left. Calls `tell` (with its data) for each. */
void made_places_clean(void (*tell)(void *data, const char *path), void *data);

#endif
