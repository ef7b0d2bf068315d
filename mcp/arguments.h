/* What a tool takes: one table from which its schema is made and by which what is given is checked.
 */
#ifndef SCOPEFS_MCP_ARGUMENTS_H
#define SCOPEFS_MCP_ARGUMENTS_H

#include "scopefs/strbuf.h"

#include <jansson.h>
#include <stdbool.h>

enum argument_type {
    ARGUMENT_TEXT,
    ARGUMENT_PATH, /* a text without NULs that is not empty */
    ARGUMENT_WHOLE,
    ARGUMENT_NUMBER,
    ARGUMENT_FLAG,
    ARGUMENT_CHOICE, /* one of the texts of `choices` */
    ARGUMENT_TEXTS,
    ARGUMENT_PATHS,
    ARGUMENT_VARIABLES, /* an object of texts */
    ARGUMENT_EDITS,     /* objects of old_string, new_string and replace_all */
};

struct argument {
    const char *name; /* NULL ends the table */
    const char *also; /* another name that is accepted, or NULL */
    enum argument_type type;
    bool is_required;
    const char *fallback;       /* what stands for it when it is not given, as JSON; or NULL */
    long long minimum, maximum; /* of ARGUMENT_WHOLE and ARGUMENT_NUMBER; of lists, their length */
    const char *const *choices; /* NULL-terminated */
    const char *help;
};

/* A new JSON Schema. */
json_t *arguments_schema(const struct argument *arguments);

/* A new object with the arguments by their names, and fallbacks; null counts as not given. `preset`
 * (or NULL) stands before the fallbacks. NULL with a complaint when something does not fit. */
json_t *arguments_check(const struct argument *arguments, json_t *given, json_t *preset,
                        struct strbuf *complaint);

#endif
