/*
 * A plan as arguments of bwrap(1), and of scopefs-stage2 inside. What bwrap reads from a descriptor
 * (made-up files, the system call filter) is handed to a callback that says the number.
 */
#ifndef SCOPEFS_EXEC_BWRAP_ARGUMENTS_H
#define SCOPEFS_EXEC_BWRAP_ARGUMENTS_H

#include "plan.h"
#include "scopefs/error.h"
#include "scopefs/strbuf.h"
#include "view_mount.h"

#include <stdbool.h>

/* What bwrap is to read: a file of the host's, or, with no path, bytes. */
struct given {
    const char *path;
    const char *bytes;
    size_t size;
};

/* Returns the descriptor from which bwrap will read it, or -1 with *error set. */
typedef int descriptor_giver(void *context, const struct given *given, struct error **error);

/* Appends the namespaces, and what takes privileges away: all that a trial run needs. Every
 * argument ends with a NUL, as `bwrap --args` reads them. */
void bwrap_arguments_add_isolation(struct strbuf *arguments, bool share_network);

/* Appends everything up to the command. 0, or -1 with *error set. */
int bwrap_arguments_add_plan(struct strbuf *arguments, const struct sandbox_plan *plan,
                             descriptor_giver *give, void *context, struct error **error);

/* What bwrap inherits for the first program inside. */
struct stage2_descriptors {
    int stage2;  /* the program itself */
    int channel; /* -1: nobody listens */
    int network; /* of the forwarder; -1: there is none */
    int program; /* runs in place of the command's first word; -1: that is found by its name */
    bool wait;   /* it tells on the channel how the command has ended */
    bool is_session;
    bool is_terminal; /* a session's, interactive */
};

/* Appends the command that bwrap runs: stage2, and what it becomes. The view is checked when it is
 * mounted. */
void bwrap_arguments_add_command(struct strbuf *arguments, const struct sandbox_plan *plan,
                                 const struct stage2_descriptors *descriptors,
                                 const struct view_mount *view);

/* The arguments as an array of pointers into them that ends with NULL; the caller frees the array.
 */
const char **bwrap_arguments_split(const struct strbuf *arguments);

#endif
