/* What is wrong in a configuration: every finding with its place and the mend, in file order. */
#ifndef SCOPEFS_DIAGNOSTICS_H
#define SCOPEFS_DIAGNOSTICS_H

#include <stddef.h>
#include <stdio.h>

enum severity { SEVERITY_WARNING, SEVERITY_ERROR };

struct diagnostic {
    enum severity severity;
    char *file;
    unsigned line, column; /* from 1; column counts bytes. 0: the whole file */
    char *message;         /* what is wrong, and the mend; one line */
};

struct diagnostics {
    struct diagnostic *items; /* in the order of their discovery until diagnostics_sort */
    size_t count;
    size_t errors; /* how many of them are errors; 0 means the file may be used */
};

#define cleanup_diagnostics __attribute__((cleanup(diagnostics_free)))

void diagnostics_add(struct diagnostics *diagnostics, enum severity severity, const char *file,
                     unsigned line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* By file (in order of first appearance), line and column; stable. */
void diagnostics_sort(struct diagnostics *diagnostics);

/* One line each: FILE:LINE:COLUMN: error: message */
void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream);

void diagnostics_free(struct diagnostics *diagnostics);

#endif
