/*
 * Files of the host that decide what commands of a scope may do: the configuration itself, the
 * approver, the files of variables, and what is bound. Whoever could write one of them, or put a
 * link in its place, would decide himself; in the views of the configuration's scopes they can be
 * read at most.
 */
#ifndef SCOPEFS_DECIDING_FILES_H
#define SCOPEFS_DECIDING_FILES_H

#include "config_build.h"

/* Adds the ceilings, when all settings have been read. */
void deciding_files_protect(struct loader *loader, const char *config_file);

#endif
