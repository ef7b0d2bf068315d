/* The sections and keys of ini files: this table is their only source. */
#ifndef RULES_CONFIG_KEYS_H
#define RULES_CONFIG_KEYS_H

#include "config_build.h"

/* What a setting is for: a scope, or (with `scope` NULL) a preset. */
struct setting_target {
    struct rule_source *source;
    struct scope_draft *scope;
    struct preset *preset;
};

enum key_shape {
    KEY_ONCE,
    KEY_LIST,  /* may be there several times */
    KEY_PREFIX /* begins with the name, and each continuation is there once */
};

struct config_key {
    const char *name; /* NULL ends the table */
    enum key_shape shape;
    bool may_be_empty;
    void (*apply)(struct loader *loader, const struct setting_target *target,
                  const struct ini_setting *setting);
};

struct section_kind {
    const char *name; /* NULL ends the table */
    const struct config_key *keys;
};

/* The kinds of sections of a configuration, each with a scope's name, and of a preset, without. */
extern const struct section_kind config_sections[];
extern const struct section_kind preset_sections[];

/* The keys of [exec NAME], and of [exec] in a preset (see exec_keys.c). */
extern const struct config_key config_exec_keys[];
extern const struct config_key config_preset_exec_keys[];

/* The kind of the section, or NULL after a message; a broken section has had its message. */
const struct section_kind *config_find_section(struct loader *loader,
                                               const struct section_kind *kinds, const char *file,
                                               const struct ini_section *section);

/* Applies one setting, or says what is wrong with it. */
void config_apply(struct loader *loader, const struct section_kind *kind,
                  const struct setting_target *target, const struct ini_setting *setting);

#endif
