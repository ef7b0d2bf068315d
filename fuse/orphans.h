/*
 * bwrap's first process inside a sandbox waits for the one outside, and for ever when that is
 * killed before it has spoken. Such a process has done nothing yet, and never will.
 */
#ifndef SCOPEFS_FUSE_ORPHANS_H
#define SCOPEFS_FUSE_ORPHANS_H

/* Ends those of the caller; for root, of everybody. Calls `tell` (with its data) for each. */
void orphans_end(void (*tell)(void *data, const char *process), void *data);

#endif
