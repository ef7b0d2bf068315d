/* The difference of two texts, line by line, as `diff -u` writes it. */
#ifndef SCOPEFS_MCP_DIFF_H
#define SCOPEFS_MCP_DIFF_H

#include "scopefs/strbuf.h"

/* Appends it, with three lines around each change; nothing when they are the same. `name` stands in
 * its head. */
void diff_add(struct strbuf *diff, const char *name, const struct strbuf *old,
              const struct strbuf *changed);

#endif
