#include "scopefs/duration.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned long milliseconds;
} units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", 86400 * 1000},
};

static bool factor_of(const char *unit, unsigned long *factor)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        *factor = units[i].milliseconds;
        return true;
    }
    return false;
}

bool duration_parse(const char *text, unsigned long *milliseconds)
{
    char *unit;
    unsigned long factor, product;
    if (strcmp(text, "0") == 0) {
        *milliseconds = 0;
        return true;
    }
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long count = strtoul(text, &unit, 10);
    if (errno || count == 0 || !factor_of(unit, &factor) ||
        __builtin_mul_overflow(count, factor, &product) || product > LONG_MAX)
        return false;
    *milliseconds = product;
    return true;
}
