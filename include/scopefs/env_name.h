/* Names of environment variables: which there can be, and which make programs run other code. */
#ifndef SCOPEFS_ENV_NAME_H
#define SCOPEFS_ENV_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Letters, digits and '_', as shells take them. */
bool env_name_is_valid(const char *name, size_t length);

/* Variables with which a caller's environment makes programs load or run other code before their
 * own: the dynamic linker's and libc's (glibc's unsecvars.h), and shells' start-up files. */
bool env_name_is_unsafe(const char *name);

#endif
