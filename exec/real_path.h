/* Where paths lead on the host. */
#ifndef SCOPEFS_EXEC_REAL_PATH_H
#define SCOPEFS_EXEC_REAL_PATH_H

#include <stdbool.h>

/* Whether the path, with all symlinks followed, is the folder's or lies below it. False when one of
 * them leads nowhere. */
bool real_path_lies_in(const char *path, const char *folder);

#endif
