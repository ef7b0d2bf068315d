#include "scopefs/policy.h"

#include <string.h>

static const char *const level_names[] = {
    [LEVEL_NONE] = "none", [LEVEL_VIEW] = "view", [LEVEL_READ] = "read", [LEVEL_WRITE] = "write"};

const char *level_name(enum level level)
{
    return level_names[level];
}

bool level_parse(const char *name, enum level *level)
{
    for (unsigned i = LEVEL_NONE; i <= LEVEL_WRITE; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (enum level)i;
            return true;
        }
    }
    return false;
}
