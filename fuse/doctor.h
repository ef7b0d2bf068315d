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

/* Ends with a row without a name. */
extern const struct doctor_row {
    const char *name;
    doctor_probe *probe;
} doctor_rows[];

#endif
