/*
 * A control group of its own for the processes of one sandbox: what holds their memory, number and
 * processor time together. Both versions of the kernel's interface are used, each where it is
 * mounted and where the caller may make groups (cgroups(7), Documentation/admin-guide/cgroup-v2.rst
 * and cgroup-v1/ in the kernel's source).
 */
#ifndef SCOPEFS_EXEC_CGROUP_H
#define SCOPEFS_EXEC_CGROUP_H

#include "scopefs/config.h"
#include "scopefs/error.h"
#include "scopefs/mount_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a group can hold, as bits. */
enum { CGROUP_MEMORY = 1, CGROUP_PIDS = 2, CGROUP_CPU = 4, CGROUP_CPU_TIME = 8 };

struct cgroup_folder {
    char *path;
    bool is_v2;
    unsigned held; /* what this one holds */
    char *unit;    /* of systemd's, see cgroup_scope.h; NULL: the group is ours */
    pid_t holder;
};

struct cgroup {
    struct cgroup_folder folders[4]; /* one in each hierarchy that is needed */
    size_t count;
    unsigned held;
};

struct cgroup_usage {
    unsigned long long out_of_memory; /* processes killed for lack of memory */
    unsigned long long peak_memory;   /* bytes; 0: not known */
    unsigned long long cpu_us;        /* microseconds of processor time; 0: not known */
};

#define cleanup_cgroup __attribute__((cleanup(cgroup_close)))

/* Which bits these limits need. */
unsigned cgroup_needed(const struct exec_limits *limits);

/* Makes groups for as many of the wanted bits as it can, with the limits set: cgroup->held tells
 * which. Where the caller may make none, systemd is asked for what the limits need. */
void cgroup_open(struct cgroup *cgroup, const struct exec_limits *limits, unsigned wanted);

/* Moves the calling process into them. -1 with errno. */
int cgroup_enter(const struct cgroup *cgroup);

void cgroup_read(const struct cgroup *cgroup, struct cgroup_usage *usage);

/* Removes the groups, whose processes must be gone. */
void cgroup_close(struct cgroup *cgroup);

/* --- For tests: one hierarchy at a time --- */

/* Of `wanted`, what a version 2 group below `own`, the caller's, or below the nearest group above
 * it down from `top` can hold; *parent (the caller frees it) is where to make it. 0: none. */
unsigned cgroup_find_v2_parent(const char *top, const char *own, unsigned wanted, char **parent);

/* Makes the folder `path` and sets the limits of `wanted` in it; adds it when it holds any. */
void cgroup_add(struct cgroup *cgroup, char *path, bool is_v2, unsigned wanted,
                const struct exec_limits *limits);

#endif
