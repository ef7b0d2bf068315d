/*
 * Who asked for the request that this thread works on: for the record of what was refused. Entered
 * once per request, where requests are counted as well.
 */
#ifndef SCOPEFS_FUSE_CALLER_H
#define SCOPEFS_FUSE_CALLER_H

#include "view.h"

struct caller {
    pid_t process; /* as the server sees it; 0 for the kernel itself */
    uid_t user;
};

void caller_enter(fuse_req_t request);

struct caller caller_now(void);

#endif
