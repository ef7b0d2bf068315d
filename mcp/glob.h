/*
 * Patterns of names as shells and their kin have them: "*" and "?" do not cross a slash, "**"
 * stands for any number of directories, [a-z], {a,b}; dotfiles are not special. A pattern matches a
 * whole path below where a search began.
 */
#ifndef SCOPEFS_MCP_GLOB_H
#define SCOPEFS_MCP_GLOB_H

#include "call.h"

#include <stdbool.h>
#include <stddef.h>

struct glob;

/* NULL with the call failed. `anywhere`: a pattern without a slash means the last name, at any
 * depth, and a directory's match covers what is below it; so exclusions are meant. */
struct glob *glob_new(struct call *call, const char *pattern, bool anywhere);

bool glob_matches(const struct glob *glob, const char *path);

void glob_free(struct glob *glob);

/* Several, of which one matches. */
struct glob_list {
    struct glob **items;
    size_t count;
};

/* Adds those of a list of texts. 0, or -1 with the call failed. */
int glob_list_add(struct call *call, struct glob_list *list, json_t *patterns);

bool glob_list_matches(const struct glob_list *list, const char *path);

void glob_list_free(struct glob_list *list);

#endif
