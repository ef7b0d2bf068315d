#include "real_path.h"

#include "scopefs/mem.h"

#include <stdlib.h>
#include <string.h>

bool real_path_lies_in(const char *path, const char *folder)
{
    cleanup_free char *real_path = realpath(path, NULL);
    cleanup_free char *real_folder = realpath(folder, NULL);
    if (!real_path || !real_folder)
        return false;
    size_t length = strcmp(real_folder, "/") == 0 ? 0 : strlen(real_folder);
    return strncmp(real_path, real_folder, length) == 0 &&
           (real_path[length] == '/' || real_path[length] == '\0');
}
