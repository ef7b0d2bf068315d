/*
 * What a plan needs to know of the host: which of the system's paths are there and what they are,
 * who the command will run as, and the caller's environment.
 */
#ifndef SCOPEFS_EXEC_FACTS_H
#define SCOPEFS_EXEC_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum host_path_kind { HOST_ABSENT, HOST_FILE, HOST_DIRECTORY, HOST_SYMLINK };

struct host_path {
    const char *path;
    enum host_path_kind kind;
    char *target; /* of a symlink, as it says; else NULL */
};

struct host_facts {
    struct host_path *paths; /* one for each of host_path_names, in its order */
    size_t path_count;
    uid_t uid; /* whom the command runs as; see identity.h */
    gid_t gid;
    char *const *environment; /* the caller's, borrowed */
};

/* The parts of the host that a sandbox shows, read-only, where they exist. In the order in which
 * they are mounted; NULL-terminated. */
extern const char *const host_path_names[];

/* Looks at the paths. The ids and the environment are the caller's to set. */
void host_facts_gather(struct host_facts *facts);

void host_facts_free(struct host_facts *facts);

#endif
