/*
 * Scopes of which there are many: [scope agent-*] and its other sections stand for every scope
 * whose name begins so. One is made when it is asked for, with its name in the place of %n in all
 * values.
 */
#ifndef RULES_TEMPLATE_H
#define RULES_TEMPLATE_H

#include "ini_reader.h"

#include <stdbool.h>

/* Whether it is the beginning of a scope's name, and then '*'. */
bool is_template_name(const char *name);

/* Whether a scope of that name can be made from the template. */
bool template_fits(const char *template_name, const char *name);

/* Turns the template that fits best, the longest one, into the scope. */
void template_become(struct arena *arena, struct ini_file *file, const char *name);

#endif
