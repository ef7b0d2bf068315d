/*
 * Which directory's node each watch of inotify(7) is for. One directory has one watch, whose number
 * stays the same for as long as it is watched, whichever of its nodes asked for it.
 */
#ifndef SCOPEFS_FUSE_WATCHED_H
#define SCOPEFS_FUSE_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watched_set;

/* The inotify descriptor is borrowed. NULL with errno set. */
struct watched_set *watched_new(int inotify_fd, size_t at_most);
void watched_free(struct watched_set *set);

/* Watches the directory for the node from now on, also when it was watched for another one. The
 * watch's number, or a negative errno: EDQUOT when there are `at_most`. */
int watched_add(struct watched_set *set, const char *path, uint32_t events, uint64_t node_id);

/* The node that the watch is for; 0: for none any more. */
uint64_t watched_node(struct watched_set *set, int number);

/* The kernel says that the watch has ended. */
void watched_ended(struct watched_set *set, int number);

/* Ends the watch, unless it is for another node by now. */
void watched_end(struct watched_set *set, int number, uint64_t node_id);

/* The node is freed, and so watched_let_go ends its watch. Takes a lock of its own alone, and makes
 * no system call on the source: for who holds the node tree's lock. */
void watched_node_freed(struct watched_set *set, int number, uint64_t node_id);

/* Ends the watches of freed nodes, but not so many at once that inotify could not tell of all. Each
 * end is an event to be read. The descriptor can be read while there are some. */
void watched_let_go(struct watched_set *set);
int watched_freed_fd(const struct watched_set *set);

#endif
