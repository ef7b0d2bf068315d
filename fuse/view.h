/*
 * One mounted view: what every operation needs. Everything in it is constant while requests run;
 * what changes is inside the tree, the handles and the lock queue, each with its own lock.
 *
 * Lock order: move_lock, rules_lock, the handles' opening lock, the tree's lock, the handles'
 * lock. An operation that resolves a path holds move_lock shared from
 * building the path to its last system call, and a rename holds it alone, so that no path changes
 * its meaning in between. States belong to a policy: whoever uses one holds move_lock or
 * rules_lock, and a reload holds both alone.
 */
#ifndef SCOPEFS_FUSE_VIEW_H
#define SCOPEFS_FUSE_VIEW_H

#define FUSE_USE_VERSION 314

#include "scopefs/config.h"
#include "scopefs/policy.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* Whose the files are that are created in a view. */
enum owner {
    OWNER_DAEMON,    /* the user's who mounted it, as everything the daemon makes */
    OWNER_DIRECTORY, /* the owner's of the directory: root serves one user */
    OWNER_CREATOR,   /* the caller's: root serves everybody */
};

struct policy_copy;

/* Since the view was mounted. */
struct counters {
    atomic_uint_fast64_t operations, refusals;
    atomic_uint_fast32_t unrecorded; /* lost since the last record, see audit.h */
};

struct view {
    const char *name; /* of the scope, for the log */
    const struct policy *policy;
    int root_fd;        /* O_PATH, the source */
    int proc_fds;       /* O_PATH, /proc/self/fd: reopens O_PATH descriptors */
    bool exact_times;   /* of the source, see cache_times_are_exact */
    bool may_fold;      /* single directories may take two spellings for one, see folding.h */
    bool submounts;     /* other file systems below the source are part of the view */
    bool modes_checked; /* the kernel checks permissions, by the modes that it is shown */
    bool lists_checked; /* and by the source's access control lists */
    bool for_one_user;  /* root serves `user`, and shows every file as that user's */
    enum owner owner;
    uid_t user;
    gid_t group;
    struct fuse_session *session;
    struct node_tree *nodes;
    struct handle_table *handles;
    struct listings *listings;
    struct budget *budget;
    struct watch *watch;             /* or NULL */
    bool opens_unasked;              /* the kernel opens directories without asking */
    bool files_unasked;              /* and files: nobody else changes the source */
    struct passthrough *passthrough; /* or NULL */
    struct lock_owners *lock_owners;
    struct lock_queue *locks;
    pthread_rwlock_t move_lock;
    pthread_rwlock_t rules_lock;
    struct policy_copy *reloaded; /* `policy` when it is not the first one */
    uint32_t generation;          /* counts reloads; only the listener thread uses it */
    int channel_fd;               /* to the supervisor */
    int memory_fd;                /* /proc/self/smaps_rollup of the server, or -1 */
    struct counters counters;
    enum log_mode log;
    int audit_fd;                      /* to the supervisor, see audit.h */
    atomic_uint_fast64_t init_request; /* INIT, while it is being answered, see init_reply.h */
    pid_t supervisor;
    bool in_background;
};

static inline struct view *view_of(fuse_req_t request)
{
    return fuse_req_userdata(request);
}

/* Holds rules_lock shared to the end of the block: for requests on an open file, which resolve no
 * path, and so must not wait for a rename, but must be over before new rules hold. */
#define cleanup_rules_lock __attribute__((cleanup(view_unlock_rules)))
struct view *view_share_rules(struct view *view);
void view_unlock_rules(struct view **view);

/* Holds move_lock shared to the end of the block. */
#define cleanup_move_lock __attribute__((cleanup(view_unlock)))
struct view *view_share(struct view *view);
struct view *view_alone(struct view *view);
void view_unlock(struct view **view);

#endif
