/* The scopes that a command is for: those named on its command line, or all of the file. */
#ifndef SCOPEFS_FUSE_SELECTION_H
#define SCOPEFS_FUSE_SELECTION_H

#include "commands.h"

struct selection {
    struct config *config;
    char *config_file; /* absolute */
    const struct scope **scopes;
    size_t count;
};

#define cleanup_selection __attribute__((cleanup(selection_free)))

/* Loads the file (NULL: the one that is found). False after messages when it has an error or one of
 * the names is not in it. */
bool selection_load(struct selection *selection, const struct command *command, const char *file,
                    char *const *names, size_t count);
void selection_free(struct selection *selection);

#endif
