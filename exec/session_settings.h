/* What a session depends on beside the rules of its view, as a number. */
#ifndef SCOPEFS_EXEC_SESSION_SETTINGS_H
#define SCOPEFS_EXEC_SESSION_SETTINGS_H

#include "scopefs/config.h"

#include <stdint.h>

/* Changes when the scope would get another sandbox than before: another source, user, network,
 * limit, environment or bind. Limits of single calls and rules over commands do not count.
 * `config_file` is absolute. */
uint64_t session_settings_digest(const struct scope *scope, const char *config_file);

#endif
