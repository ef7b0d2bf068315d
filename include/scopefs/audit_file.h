/*
 * The audit file of a scope: JSON lines in RUNTIME/.SCOPE.audit, which is renamed to .SCOPE.audit.1
 * and so on when it is full. Several views of a scope may write to one file.
 */
#ifndef SCOPEFS_AUDIT_FILE_H
#define SCOPEFS_AUDIT_FILE_H

#include "scopefs/strbuf.h"

struct audit_file {
    const char *scope; /* borrowed */
    int folder_fd, fd;
};

void audit_file_open(struct audit_file *file, const char *scope);

/* Appends whole lines. 0, or -1 with errno. */
int audit_file_add(struct audit_file *file, const struct strbuf *lines);

void audit_file_close(struct audit_file *file);

/* The name of the file in the runtime folder: generation 0 is written now, AUDIT_GENERATIONS - 1 is
 * the oldest. The caller frees it. */
enum { AUDIT_GENERATIONS = 3 };
char *audit_file_name(const char *scope, unsigned generation);

#endif
