/* What this host has of the things that scopefs needs or can use, each probed by doing it. */
#ifndef SCOPEFS_FUSE_DOCTOR_H
#define SCOPEFS_FUSE_DOCTOR_H

#include "scopefs/strbuf.h"

enum health {
    HEALTH_GOOD,
    HEALTH_LESS,   /* works, but something is missing that would be of use */
    HEALTH_BROKEN, /* does not work */
};

/* Adds what was found to `text`, and what to do about it to `mend`, unless it is good. */
typedef enum health doctor_probe(struct strbuf *text, struct strbuf *mend);

/* The path of the program by the search path; NULL when there is none. The caller frees it. */
char *doctor_find_program(const char *name);

/* What scopefs-exec needs. */
enum health doctor_probe_namespaces(struct strbuf *text, struct strbuf *mend);
enum health doctor_probe_bubblewrap(struct strbuf *text, struct strbuf *mend);
enum health doctor_probe_groups(struct strbuf *text, struct strbuf *mend);

/* Ends with a row without a name. */
extern const struct doctor_row {
    const char *name;
    doctor_probe *probe;
} doctor_rows[];

#endif
