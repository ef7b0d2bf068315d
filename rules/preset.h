/* Presets: ini files with rules that scopes and other presets include by name. */
#ifndef RULES_PRESET_H
#define RULES_PRESET_H

#include "config_build.h"

/* Finds and reads the presets that `source` uses, and those that they use. */
void presets_load(struct loader *loader, struct rule_source *source);

#endif
