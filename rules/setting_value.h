/* What the handlers of ini keys share: the place of a value for messages, and the common kinds of
 * values. */
#ifndef RULES_SETTING_VALUE_H
#define RULES_SETTING_VALUE_H

#include "config_build.h"

struct setting_place setting_value_place(const struct ini_setting *setting, size_t offset);
struct setting_place setting_key_place(const struct ini_setting *setting);

/* The index of the value in `words`, or -1 after a message. */
int setting_choose(struct loader *loader, const struct ini_setting *setting,
                   const char *const *words, size_t count);

/* The value as an absolute path; NULL after a message. */
void setting_path(struct loader *loader, const struct ini_setting *setting, const char **path);

/* The value as a time; nothing is written after a message. */
void setting_duration(struct loader *loader, const struct ini_setting *setting,
                      unsigned long *milliseconds);

/* A whole number from 1 and a unit of 1, 1024, 1024^2...; `units` names them, one letter each. */
bool setting_amount(const char *text, const char *units, unsigned long long *amount);

#endif
