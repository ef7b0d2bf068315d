/* A record as a line of JSON, as the audit file has it, and as a line for people. */
#ifndef SCOPEFS_AUDIT_LINE_H
#define SCOPEFS_AUDIT_LINE_H

#include "scopefs/strbuf.h"

#include <stdbool.h>
#include <sys/types.h>

/* What is wanted of the network, in place of a level: `path` is then HOST:PORT, and `rule` says in
 * words why it was refused. */
#define AUDIT_NETWORK "network"

/* All strings are the line's own. */
struct audit_line {
    char *time; /* as RFC 3339, in UTC */
    char *scope, *operation, *path, *wanted, *level;
    char *decider; /* "FILE:LINE", "default" or "parent NAME" */
    char *rule;    /* "LEVEL = PATTERN", or "" */
    char *error;   /* name of the errno; NULL: allowed */
    char *command; /* "" when the process was gone before it could be asked */
    long process, user;
    unsigned long repeats; /* 0: this is the first; else how often it came again since */
    unsigned long dropped; /* records lost before this one */
};

/* Adds the line with its newline. */
void audit_line_write(const struct audit_line *line, struct strbuf *text);

/* Adds the line as the journal's native protocol has it: SCOPEFS_SCOPE, SCOPEFS_PATH and so on, as
 * in the JSON, with a message for people. */
void audit_line_add_fields(const struct audit_line *line, struct strbuf *fields);

/* False when the text is none of ours. On success the caller owns *line (audit_line_free). */
bool audit_line_parse(const char *text, struct audit_line *line);
void audit_line_free(struct audit_line *line);

/* Adds one line for people, without a newline. */
void audit_line_describe(const struct audit_line *line, struct strbuf *text);

#endif
