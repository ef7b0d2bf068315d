/*
 * Where an attack acts: one name in a directory of the view, reached by one of several routes.
 * Every operation takes a place and gives 0 or an errno.
 */
#ifndef T_ATTACK_PLACE_H
#define T_ATTACK_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* How the name is reached. */
enum route {
    BY_PATH,           /* absolute path */
    BY_CWD,            /* its directory is the working directory */
    BY_DIRECTORY_FD,   /* *at() with an open directory */
    BY_PATH_FD,        /* *at() with an O_PATH descriptor of the directory */
    BY_PROC_DIRECTORY, /* /proc/self/fd/N/NAME, N an O_PATH descriptor of the directory */
    BY_PROC_TARGET,    /* /proc/self/fd/N, N an O_PATH descriptor of the object itself */
    ROUTES
};

extern const char *const route_names[ROUTES];

struct place {
    int directory_fd; /* for *at(), or AT_FDCWD */
    char name[4096];
    int sibling_fd; /* the open directory, for a second name in it */
    int held_fd;    /* closed with the place; -1: none */
    int target_fd;  /* BY_PROC_TARGET; else -1 */
};

/* `directory` is the absolute path. 0, or the errno with which the route itself is closed. */
int place_open(struct place *place, enum route route, const char *directory, const char *name);
void place_close(struct place *place);

/* The place as one path, for calls that have no *at() form. */
void place_path(const struct place *place, char *path, size_t size);

#endif
