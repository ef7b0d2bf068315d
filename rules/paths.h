/* Paths as a configuration names them, made absolute by their text alone. */
#ifndef RULES_PATHS_H
#define RULES_PATHS_H

#include "arena.h"

/* `text` as an absolute path without ".", ".." and repeated slashes: "~/" is the home directory,
 * and other paths are relative to `base` (absolute and without symlinks, so that leading ".." can
 * be taken off). NULL with a message in *message. */
char *path_resolve(struct arena *arena, const char *base, const char *text, const char **message);

/* The part of `path` below `above`, "" when they are equal; NULL when it does not lie there. Both
 * as path_resolve makes them. */
const char *path_below(const char *path, const char *above);

/* The directory of the file, absolute and resolved; NULL with errno. */
char *path_directory_of(struct arena *arena, const char *file);

/* $XDG_CONFIG_HOME/scopefs or ~/.config/scopefs; NULL when there is no home. */
char *path_user_config(struct arena *arena);

#endif
