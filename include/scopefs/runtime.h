/*
 * The runtime folder, where views are mounted by default: /run/scopefs for root,
 * $XDG_RUNTIME_DIR/scopefs for a user, and /tmp/scopefs-UID where there is no such folder.
 */
#ifndef SCOPEFS_RUNTIME_H
#define SCOPEFS_RUNTIME_H

#include "scopefs/error.h"

#include <sys/types.h>

/* The path for the calling user; the caller frees it. Nothing is created. */
char *runtime_path(void);

/* Creates the folder if needed (0700 for a user, 0755 for root) and checks that it is a directory
 * of the caller's that nobody else can write. Returns an fd of it, or -1 with *error set. */
int runtime_open(struct error **error);

/* RUNTIME/NAME, where the scope NAME is mounted unless its section says otherwise. Caller frees. */
char *runtime_mount_path(const char *scope_name);

/* The path of a program of this project: next to the running one if it is there (an uninstalled
 * build), else where it is installed. The caller frees it. */
char *runtime_program(const char *program);

#endif
