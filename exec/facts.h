/*
 * What a plan needs to know of the host: which of the system's paths are there and what they are,
 * who the command will run as, and the caller's environment.
 */
#ifndef SCOPEFS_EXEC_FACTS_H
#define SCOPEFS_EXEC_FACTS_H

#include "scopefs/config.h"
#include "scopefs/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A small file is one that everybody may read, so that it can be copied as well as shown. */
enum host_path_kind { HOST_ABSENT, HOST_FILE, HOST_SMALL_FILE, HOST_DIRECTORY, HOST_SYMLINK };

struct host_path {
    char *path;   /* inside */
    char *source; /* on the host */
    enum host_path_kind kind;
    char *target; /* of a symlink, as it says; else NULL */
};

/* A line of an env-file. */
struct file_variable {
    size_t setting; /* which of the scope's env settings names the file */
    char *name, *value;
};

struct host_facts {
    struct host_path *paths; /* the system's, in the order in which they are mounted */
    size_t path_count;
    bool is_image;   /* they are those of another root file system */
    bool lists_keys; /* the kernel lists the user's keys in /proc */
    struct file_variable *file_variables;
    size_t file_variable_count;
    uid_t uid; /* whom the command runs as; see identity.h */
    gid_t gid;
    char *const *environment; /* the caller's, borrowed */
};

/* The parts of the host that a sandbox shows, read-only, where they exist. In the order in which
 * they are mounted; NULL-terminated. */
extern const char *const host_path_names[];

/* Looks at the paths, which the scope's rootfs may give, at its binds, and into its env-files. What
 * would show files of the scope's source past its rules is refused. The
 * ids and the environment are the caller's to set. 0, or -1 with *error set. */
int host_facts_gather(struct host_facts *facts, const struct scope *scope, struct error **error);

void host_facts_free(struct host_facts *facts);

#endif
