/* The lists of [exec NAME], which come from several lines, presets and scopes, as arrays. */
#ifndef RULES_EXEC_SETTINGS_H
#define RULES_EXEC_SETTINGS_H

#include "config_build.h"

/* Completes draft->scope.exec, and reports what does not go together in it. The draft's parents and presets are there by now. */
void exec_settings_collect(struct loader *loader, struct scope_draft *draft);

#endif
