/*
 * A scope of the user's systemd: for an ordinary user in a login session, whose own group is not
 * theirs to change, the manager makes a group and moves processes into it. It is asked on D-Bus, by
 * busctl(1); see org.freedesktop.systemd1(5).
 */
#ifndef SCOPEFS_EXEC_CGROUP_SCOPE_H
#define SCOPEFS_EXEC_CGROUP_SCOPE_H

#include "cgroup.h"

/* Has a scope made with the limits of `wanted`. The folder in *cgroup, which it is then added to,
 * lasts as long as a process of ours is in it. Nothing happens where there is no such manager. */
void cgroup_scope_open(struct cgroup *cgroup, const struct mount_row *row, unsigned wanted,
                       const struct exec_limits *limits);

/* Moves the calling process into it. -1 with errno. */
int cgroup_scope_enter(const struct cgroup_folder *folder);

void cgroup_scope_close(struct cgroup_folder *folder);

#endif
