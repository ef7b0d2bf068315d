/*
 * The mount of a scope that a command works in: the one that is there, or a private one made for
 * this command. It is private so that no other command can unmount it under this one.
 */
#ifndef SCOPEFS_EXEC_VIEW_MOUNT_H
#define SCOPEFS_EXEC_VIEW_MOUNT_H

#include "identity.h"
#include "keeper.h"
#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>

struct view_mount {
    char *path;
    bool is_mounted;                     /* always after view_mount_open */
    unsigned device_major, device_minor; /* what stat(2) says of it, when it is mounted */
    /* Keeps that number from being given to another file system, or 0 (never standard input). */
    int pin;
    struct keeper keeper; /* of a private mount */
};

/* Finds the scope's own mount, if it is there, comes from the same configuration and works for
 * `identity`; mounts nothing. `path` is where it would be otherwise. `config_file` is the file the
 * scope came from. 0, or -1 with *error set. */
int view_mount_look(struct view_mount *view, const struct scope *scope, const char *config_file,
                    const struct identity *identity, struct error **error);

/* The same, and if there is none makes a private one, as `identity` can use it. Mounting is given
 * up when `interrupt_fd` can be read. 0, or -1 with *error set and nothing left behind. */
int view_mount_open(struct view_mount *view, const struct scope *scope, const char *config_file,
                    const struct identity *identity, int interrupt_fd, struct error **error);

/* The same for a scope whose mount was named by --view: there is no other. */
int view_mount_use(struct view_mount *view, const struct scope *scope, const char *config_file,
                   const struct identity *identity, struct error **error);

/* Unmounts what view_mount_open mounted, and forgets the rest. 0, or -1 with *error set. */
int view_mount_close(struct view_mount *view, struct error **error);

#endif
