/*
 * Whom a command runs as: the caller, or an unprivileged user when root calls. There is no sandbox
 * with host uid 0: what its user namespace calls root would be root wherever the kernel slips.
 */
#ifndef SCOPEFS_EXEC_IDENTITY_H
#define SCOPEFS_EXEC_IDENTITY_H

#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct identity {
    uid_t uid;
    gid_t gid;
    bool differs; /* from the caller's: root must change to it */
};

/* 0, or -1 with *error set: the scope's user does not exist or is root. */
int identity_choose(const struct scope *scope, struct identity *identity, struct error **error);

/* Makes the calling process that user for good, without supplementary groups. -1 with errno. */
int identity_become(const struct identity *identity);

#endif
