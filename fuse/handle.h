/*
 * Open files. A handle is known to the kernel by a number that is never used twice,
 * so that a wrong number finds nothing. The table owns the handles; a request holds one while it
 * runs.
 */
#ifndef SCOPEFS_FUSE_HANDLE_H
#define SCOPEFS_FUSE_HANDLE_H

#include "node.h"

#include <pthread.h>
#include <stdatomic.h>

struct handle {
    uint64_t id;
    struct node *node; /* held */
    int fd;
    bool can_write;
    atomic_uint holds;
    atomic_bool locked;               /* some lock was asked for through it */
    atomic_bool silent;               /* nothing tells of a close, only of the last one */
    atomic_bool is_counted;           /* by passthrough.c */
    atomic_int_fast64_t closed_at_ns; /* when a process last closed it, CLOCK_MONOTONIC */
    struct handle *next;              /* guarded by the table's lock */
};

struct handle_table;

struct handle_table *handle_table_new(struct node_tree *tree);
void handle_table_free(struct handle_table *table);
size_t handle_table_count(struct handle_table *table);

/* One view may not take the memory of all. */
#define HANDLES_AT_MOST 65536

/* Takes over the descriptor and holds the node. 0 when there are too many or memory is gone; then
 * `fd` is closed. */
uint64_t handle_open(struct handle_table *table, struct node *node, int fd, bool can_write);

/* The same for a file that was found to be `found`, which the node has to stand for. The file may
 * have been replaced since the kernel looked its name up, also when it did so because the file had
 * been replaced before: a fresh node that nobody has open then is renewed, and *renewed set. 0 with
 * errno set: ESTALE when the node stands for another file. */
uint64_t handle_open_file(struct handle_table *table, struct node *node, int fd, bool can_write,
                          const struct identity *found, bool *renewed);

/* The handle with this number, held until handle_put; NULL when there is none. */
struct handle *handle_get(struct handle_table *table, uint64_t id);
void handle_put(struct handle_table *table, struct handle *handle);

#define cleanup_handle __attribute__((cleanup(handle_hold_cleanup)))
struct handle_hold {
    struct handle_table *table;
    struct handle *handle;
};
void handle_hold_cleanup(struct handle_hold *hold);

/* The kernel let go of it: it is closed when the last request is through with it. */
void handle_release(struct handle_table *table, uint64_t id);

void handle_set_silent(struct handle_table *table, uint64_t id);

/* close(2) returns before the kernel tells us that nobody has the file open any more, and only then
 * its locks go. The time until which such word may still come for a handle by which the node's file
 * was locked; 0 when none was closed of late. CLOCK_MONOTONIC. */
int64_t handle_closing_until(struct handle_table *table, const struct node *node);

/* A duplicate of a descriptor that some handle has of the node's file (one that can write if asked
 * for), owned by the caller; -1 when there is none. */
int handle_borrow(struct handle_table *table, const struct node *node, bool can_write);

#endif
