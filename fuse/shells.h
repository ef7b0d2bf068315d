/* The caller's shell sessions, which scopefs-exec keeps: sockets RUNTIME/.sessions/SCOPE@NAME. */
#ifndef SCOPEFS_FUSE_SHELLS_H
#define SCOPEFS_FUSE_SHELLS_H

#include <stddef.h>

struct shells {
    char **scopes; /* of each session that lives */
    size_t count;
};

#define cleanup_shells __attribute__((cleanup(shells_free)))

void shells_read(struct shells *shells);
void shells_free(struct shells *shells);

size_t shells_count(const struct shells *shells, const char *scope);

#endif
