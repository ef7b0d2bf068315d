/* Durations as the ini file and the command line write them: "120", "120s", "1500ms", "2m", "1h",
 * "1d". */
#ifndef SCOPEFS_EXEC_DURATION_H
#define SCOPEFS_EXEC_DURATION_H

#include "scopefs/error.h"

/* 0 with *milliseconds set, or -1 with *error set: not a duration, or too long to count. */
int duration_parse(const char *text, unsigned long *milliseconds, struct error **error);

#endif
