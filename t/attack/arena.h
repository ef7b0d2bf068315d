/*
 * Fresh places to attack: SOURCE/arena/NUMBER/PARENT/LEVEL-KIND. The rules of the test give each
 * name the level that it begins with, and the directory that of PARENT. Every attack that may
 * change something gets an arena of its own, so that nothing is cached of it.
 */
#ifndef T_ATTACK_ARENA_H
#define T_ATTACK_ARENA_H

#include "table_rows.h"

enum arena_level { AT_NONE, AT_VIEW, AT_READ, AT_WRITE, AT_WAY, ARENA_LEVELS };

extern const char *const arena_levels[ARENA_LEVELS];
extern const char *const arena_kinds[KINDS];

enum { ARENA_PARENTS = 4 };
extern const char *const arena_parents[ARENA_PARENTS];

struct arena {
    char *shown; /* its path in the view */
    int fd;      /* in the source */
};

/* Makes one that holds the names of the kind, at every level, and spare ones that are `write`. */
struct arena arena_make(int source_fd, const char *view, const char *parent, enum kind kind);
void arena_remove(struct arena *arena);

#endif
