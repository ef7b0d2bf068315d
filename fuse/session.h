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
    int source_fd;             /* borrowed */
    struct mount_point *point; /* which the supervisor removes, if it was made, before it lets go */
    bool for_one_user;         /* root only: `user` and `group` are who may use the view */
    uid_t user;
    gid_t group;
    bool for_all;                 /* allow_other */
    const char *config_file;      /* absolute, or NULL */
    uint64_t config_digest;       /* with config_file */
    int report_fd;                /* the supervisor's alone, or -1 */
    void (*on_start)(void *data); /* the view answers from now on */
    void *on_start_data;
};

/* Mounts, forks the server, and supervises it until the view is unmounted or SIGTERM or SIGINT
 * comes. 0, or -1 with *error set when the view never came up. */
int session_run(const struct session_plan *plan, struct error **error);

/* A view without a session and without the descriptors that are the server's own (see server.c):
 * for session_run, and for tests that serve without a mount. -1 with *error set; it has to be
 * closed either way. */
int session_open_view(const struct session_plan *plan, struct view *view, struct error **error);
void session_close_view(struct view *view);

#endif
