#include "duration.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *unit;
    unsigned long milliseconds;
} units[] = {
    {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", 86400 * 1000},
};

int duration_parse(const char *text, unsigned long *milliseconds, struct error **error)
{
    char *end = NULL;
    errno = 0;
    unsigned long count = isdigit((unsigned char)text[0]) ? strtoul(text, &end, 10) : 0;
    for (size_t i = 0; end && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) != 0)
            continue;
        /* poll(2) counts in int. */
        if (errno || count > INT_MAX / units[i].milliseconds)
            return error_set(error, 0, "the duration %s is longer than 24 days", text);
        *milliseconds = count * units[i].milliseconds;
        return 0;
    }
    return error_set(error, 0, "'%s' is no duration; write it like 90s, 500ms, 5m or 1h", text);
}
