/*
 * Record locks (fcntl(2)) on the source, one owner each. The daemon is one process, and the kernel
 * gives a process one set of record locks per file; so each owner gets an open file description of
 * its own, and its locks are that description's (F_OFD_SETLK). They exclude the host's locks, those
 * of other views and those of other owners in this one. What is lost is EDEADLK, which such locks
 * have not.
 */
#ifndef SCOPEFS_FUSE_LOCK_OWNER_H
#define SCOPEFS_FUSE_LOCK_OWNER_H

#include "handle.h"
#include "view.h"

#include <stdbool.h>
#include <stdint.h>

struct lock_owners;
struct lock_owner;

struct lock_owners *lock_owners_new(void);
void lock_owners_free(struct lock_owners *owners);
size_t lock_owners_count(struct lock_owners *owners);

/* The owner's lock holder on the handle's file, made if there is none; held until lock_owner_put.
 * NULL with errno set: ENOLCK when there are too many. */
struct lock_owner *lock_owner_get(struct lock_owners *owners, struct view *view,
                                  const struct handle *handle, uint64_t owner);
void lock_owner_put(struct lock_owners *owners, struct lock_owner *holder);

/* The descriptor whose locks are the owner's. Borrowed. */
int lock_owner_fd(const struct lock_owner *holder);

/* The owner closed this file, or the handle by which it locked is released: its locks go. True when
 * there were any. */
bool lock_owners_drop(struct lock_owners *owners, const struct identity *file, uint64_t owner);
bool lock_owners_drop_handle(struct lock_owners *owners, uint64_t handle_id);

#endif
