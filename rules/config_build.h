/* A configuration while it is being read: what the sections said, before it becomes scopes. */
#ifndef RULES_CONFIG_BUILD_H
#define RULES_CONFIG_BUILD_H

#include "ini_reader.h"
#include "pattern.h"
#include "scopefs/config.h"

struct rule_text {
    struct rule rule;
    const struct pattern *pattern;
    struct rule_text *next;
};

/* A key that may be there only once, and was. */
struct seen_key {
    const char *section, *key;
    unsigned line;
    struct seen_key *next;
};

struct preset_use {
    const char *name;
    struct setting_place place;
    const struct preset *preset; /* NULL while it is not found */
    struct preset_use *next;
};

struct command_rule_text {
    struct command_rule rule;
    struct command_rule_text *next;
};

/* What a scope or a preset has of rules: those of its presets first, then its own. */
struct rule_source {
    struct preset_use *uses, **last_use;
    struct rule_text *rules, **last_rule;
    struct command_rule_text *command_rules, **last_command_rule;
};

enum preset_progress { PRESET_LOADING, PRESET_LOADED };

struct preset {
    const char *name, *file, *description;
    struct rule_source source;
    struct seen_key *seen;
    enum preset_progress progress;
    struct preset *next;
};

struct env_draft {
    struct env_setting setting;
    struct env_draft *next;
};

struct bind_draft {
    struct exec_bind bind;
    struct bind_draft *next;
};

struct network_draft {
    const char *pattern;
    struct setting_place place;
    struct network_draft *next;
};

enum draft_progress { DRAFT_NEW, DRAFT_BUILDING, DRAFT_BUILT };

struct scope_draft {
    struct scope scope;
    bool may_have_source; /* in a line that was refused */
    struct rule_source source;
    struct env_draft *env, **last_env;
    struct bind_draft *binds, **last_bind;
    struct network_draft *network, **last_network;
    struct setting_place network_place;
    enum level default_level;
    const struct scope_draft *parent; /* NULL while it is not found */
    const char *parent_name;
    struct setting_place parent_place;
    struct policy *policy;
    struct seen_key *seen;
    enum draft_progress progress;
    struct scope_draft *next;
};

struct loader {
    struct arena *arena;
    struct diagnostics *diagnostics;
    const char *base; /* the directory that relative paths start at */
    struct scope_draft *drafts, **last_draft;
    struct preset *presets;
};

#define loader_report(loader, place, ...)                                                          \
    diagnostics_add((loader)->diagnostics, SEVERITY_ERROR, (place).file, (place).line,             \
                    (place).column, __VA_ARGS__)

void rule_source_init(struct rule_source *source);

/* A draft that is in no list: for what only has to be checked. */
struct scope_draft *loader_new_draft(struct loader *loader, const char *name,
                                     struct setting_place place);
struct scope_draft *loader_add_draft(struct loader *loader, const char *name,
                                     struct setting_place place);
struct scope_draft *loader_find_draft(const struct loader *loader, const char *name);

/* Adds to a message which scopes there are. */
void loader_suggest_scope(const struct loader *loader, const char *wrong, struct strbuf *text);

void loader_add_use(struct loader *loader, struct rule_source *source, const char *name,
                    struct setting_place place);

/* Adds a rule, which is copied, or reports what is wrong with its pattern. `setting` tells where
 * the bytes of the pattern stand; NULL: one behind the other from the rule's own place on. */
void loader_add_rule(struct loader *loader, struct rule_source *source, const struct rule *rule,
                     const struct ini_setting *setting);

/* Letters, digits, '_', '-' and '.', not at the start the last two; at most 40 bytes. */
bool is_valid_name(const char *name);
#define NAME_SYNTAX                                                                                \
    "a name is made of letters, digits, '_', '-' and '.', begins with none of the last two and "   \
    "has "                                                                                         \
    "at most 40 bytes"

/* Makes the policies and checks what needs the whole file. */
void loader_finish(struct loader *loader);

#endif
