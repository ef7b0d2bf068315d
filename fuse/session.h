/* One mounted view from the first request to the last: the libfuse session around the operations.
 */
#ifndef SCOPEFS_FUSE_SESSION_H
#define SCOPEFS_FUSE_SESSION_H

#include "mount_point.h"
#include "view.h"

#include "scopefs/config.h"
#include "scopefs/error.h"

struct session_plan {
    const struct scope *scope;
    int source_fd; /* borrowed */
    const struct mount_point *point;
    bool for_one_user; /* root only: `user` and `group` are who may use the view */
    uid_t user;
    gid_t group;
    bool for_all;                 /* allow_other */
    void (*on_start)(void *data); /* the view answers from now on */
    void *on_start_data;
};

/* Mounts, serves until the view is unmounted or SIGTERM, SIGINT or SIGHUP comes, and unmounts. 0,
 * or -1 with *error set when it could not be mounted. */
int session_run(const struct session_plan *plan, struct error **error);

/* The INIT request. */
void session_started(void *view, struct fuse_conn_info *connection);

#endif
