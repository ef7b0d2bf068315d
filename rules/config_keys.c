#include "config_keys.h"

#include "setting_value.h"
#include "suggest.h"

#include "scopefs/mem.h"

static void set_source(struct loader *loader, const struct setting_target *target,
                       const struct ini_setting *setting)
{
    setting_path(loader, setting, &target->scope->scope.source);
}

static void set_mount(struct loader *loader, const struct setting_target *target,
                      const struct ini_setting *setting)
{
    setting_path(loader, setting, &target->scope->scope.mount);
}

static void add_preset(struct loader *loader, const struct setting_target *target,
                       const struct ini_setting *setting)
{
    if (!is_valid_name(setting->value)) {
        loader_report(loader, setting_value_place(setting, 0),
                      "'%s' cannot be a preset's name: " NAME_SYNTAX "; several presets take a "
                      "line each",
                      setting->value);
        return;
    }
    loader_add_use(loader, target->source, setting->value, setting_value_place(setting, 0));
}

static void set_default(struct loader *loader, const struct setting_target *target,
                        const struct ini_setting *setting)
{
    static const char *const words[] = {"none", "view", "read", "write"};
    if (setting_choose(loader, setting, words, 4) >= 0)
        level_parse(setting->value, &target->scope->default_level);
}

static void set_parent(struct loader *loader, const struct setting_target *target,
                       const struct ini_setting *setting)
{
    (void)loader;
    target->scope->parent_name = setting->value;
    target->scope->parent_place = setting_value_place(setting, 0);
}

/* What useradd(8) of Debian takes, so that an id or an option can never be meant. */
static void set_user(struct loader *loader, const struct setting_target *target,
                     const struct ini_setting *setting)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char others[] = "0123456789.-$";
    const char *at = setting->value;
    if (strchr(letters, *at))
        while (*at && (strchr(letters, *at) || strchr(others, *at)))
            at++;
    if (*at || strlen(setting->value) > 32)
        loader_report(loader, setting_value_place(setting, (size_t)(at - setting->value)),
                      "'%s' cannot be a user's name; write it as `id -un` shows it",
                      setting->value);
    else
        target->scope->scope.user = setting->value;
}

static void set_submounts(struct loader *loader, const struct setting_target *target,
                          const struct ini_setting *setting)
{
    static const char *const words[] = {"no", "yes"};
    target->scope->scope.submounts = setting_choose(loader, setting, words, 2) == 1;
}

static void set_quota(struct loader *loader, const struct setting_target *target,
                      const struct ini_setting *setting)
{
    if (!setting_amount(setting->value, "KMGT", &target->scope->scope.quota))
        loader_report(loader, setting_value_place(setting, 0),
                      "'%s' is no size; write a whole number from 1, of bytes or with a unit: "
                      "500000, 64K, 20M, 2G, 1T",
                      setting->value);
}

static void set_inodes(struct loader *loader, const struct setting_target *target,
                       const struct ini_setting *setting)
{
    if (!setting_amount(setting->value, "", &target->scope->scope.inodes))
        loader_report(loader, setting_value_place(setting, 0),
                      "'%s' is no number of files; write a whole number from 1", setting->value);
}

static void set_cache(struct loader *loader, const struct setting_target *target,
                      const struct ini_setting *setting)
{
    static const char timeout[] = "timeout ";
    double *seconds = &target->scope->scope.cache_seconds;
    unsigned long long amount;
    bool exclusive = strcmp(setting->value, "exclusive") == 0;
    enum watching watching = strcmp(setting->value, "watch") == 0               ? WATCH_ALWAYS
                             : exclusive || strcmp(setting->value, "auto") == 0 ? WATCH_POLITELY
                                                                                : WATCH_NEVER;
    target->scope->scope.watching = watching;
    target->scope->scope.exclusive = exclusive;
    if (watching != WATCH_NEVER)
        *seconds = CACHE_SECONDS;
    else if (strcmp(setting->value, "none") == 0)
        *seconds = 0;
    else if (strncmp(setting->value, timeout, strlen(timeout)) == 0 &&
             setting_amount(setting->value + strlen(timeout), "", &amount) && amount <= 86400)
        *seconds = (double)amount;
    else
        loader_report(
            loader, setting_value_place(setting, 0),
            "'%s' is no value of cache; write auto, watch, exclusive, none, or timeout with whole "
            "seconds from 1 to 86400: timeout 30",
            setting->value);
}

static void set_passthrough(struct loader *loader, const struct setting_target *target,
                            const struct ini_setting *setting)
{
    static const char *const words[] = {[PASSTHROUGH_NO] = "no", "auto", "yes"};
    int chosen = setting_choose(loader, setting, words, 3);
    if (chosen >= 0)
        target->scope->scope.passthrough = (enum passthrough_mode)chosen;
}

static void set_case(struct loader *loader, const struct setting_target *target,
                     const struct ini_setting *setting)
{
    static const char *const words[] = {"exact", "ignore"};
    target->scope->scope.ignore_case = setting_choose(loader, setting, words, 2) == 1;
}

static void set_create(struct loader *loader, const struct setting_target *target,
                       const struct ini_setting *setting)
{
    static const char *const words[] = {"no", "yes"};
    target->scope->scope.create = setting_choose(loader, setting, words, 2) == 1;
}

static void set_automount(struct loader *loader, const struct setting_target *target,
                          const struct ini_setting *setting)
{
    static const char *const words[] = {"no", "yes"};
    target->scope->scope.automount = setting_choose(loader, setting, words, 2) == 1;
}

static void set_expires(struct loader *loader, const struct setting_target *target,
                        const struct ini_setting *setting)
{
    setting_duration(loader, setting, &target->scope->scope.expires_ms);
}

static void set_idle(struct loader *loader, const struct setting_target *target,
                     const struct ini_setting *setting)
{
    setting_duration(loader, setting, &target->scope->scope.idle_ms);
}

static void set_log(struct loader *loader, const struct setting_target *target,
                    const struct ini_setting *setting)
{
    static const char *const words[] = {[LOG_DENIED] = "denied", "writes", "all"};
    int chosen = setting_choose(loader, setting, words, 3);
    if (chosen >= 0)
        target->scope->scope.log = (enum log_mode)chosen;
}

/* One bit for each of the words, which stand in the order of the bits. */
static void set_log_to(struct loader *loader, const struct setting_target *target,
                       const struct ini_setting *setting)
{
    static const char *const words[] = {"file", "syslog", "journal"};
    static const char blanks[] = " \t";
    unsigned targets = 0;
    for (const char *at = setting->value; *at; at += strspn(at, blanks)) {
        struct ini_setting one = *setting;
        size_t length = strcspn(at, blanks);
        one.value = arena_memdup0(loader->arena, at, length);
        int chosen = setting_choose(loader, &one, words, 3);
        if (chosen >= 0)
            targets |= 1u << chosen;
        at += length;
    }
    target->scope->scope.log_targets = targets;
}

static void add_rule(struct loader *loader, const struct setting_target *target,
                     const struct ini_setting *setting)
{
    struct setting_place place = setting_value_place(setting, 0);
    struct rule rule = {
        .pattern = setting->value,
        .file = place.file,
        .line = place.line,
        .column = place.column,
        .is_ceiling = strcmp(setting->section->kind, "ceiling") == 0,
    };
    level_parse(setting->key, &rule.level);
    loader_add_rule(loader, target->source, &rule, setting);
}

static void set_description(struct loader *loader, const struct setting_target *target,
                            const struct ini_setting *setting)
{
    (void)loader;
    target->preset->description = setting->value;
}

static const struct config_key scope_keys[] = {
    {"source", KEY_ONCE, false, set_source},
    {"mount", KEY_ONCE, false, set_mount},
    {"preset", KEY_LIST, false, add_preset},
    {"default", KEY_ONCE, false, set_default},
    {"parent", KEY_ONCE, false, set_parent},
    {"user", KEY_ONCE, false, set_user},
    {"submounts", KEY_ONCE, false, set_submounts},
    {"case", KEY_ONCE, false, set_case},
    {"quota", KEY_ONCE, false, set_quota},
    {"inodes", KEY_ONCE, false, set_inodes},
    {"cache", KEY_ONCE, false, set_cache},
    {"passthrough", KEY_ONCE, false, set_passthrough},
    {"log", KEY_ONCE, false, set_log},
    {"automount", KEY_ONCE, false, set_automount},
    {"create", KEY_ONCE, false, set_create},
    {"expires", KEY_ONCE, false, set_expires},
    {"idle", KEY_ONCE, false, set_idle},
    {"log-to", KEY_ONCE, false, set_log_to},
    {0},
};

/* The pattern itself is checked where it is parsed, also for being empty. */
static const struct config_key rule_keys[] = {
    {"none", KEY_LIST, true, add_rule},
    {"view", KEY_LIST, true, add_rule},
    {"read", KEY_LIST, true, add_rule},
    {"write", KEY_LIST, true, add_rule},
    {0},
};

static const struct config_key preset_keys[] = {
    {"description", KEY_ONCE, false, set_description},
    {"preset", KEY_LIST, false, add_preset},
    {0},
};

const struct section_kind config_sections[] = {
    {"scope", scope_keys},
    {"rules", rule_keys},
    {"ceiling", rule_keys},
    {"exec", config_exec_keys},
    {0},
};

const struct section_kind preset_sections[] = {
    {"preset", preset_keys},
    {"rules", rule_keys},
    {"ceiling", rule_keys},
    {"exec", config_preset_exec_keys},
    {0},
};

#define MAX_WORDS 40

const struct section_kind *config_find_section(struct loader *loader,
                                               const struct section_kind *kinds, const char *file,
                                               const struct ini_section *section)
{
    const char *words[MAX_WORDS];
    size_t count = 0;
    for (const struct section_kind *kind = kinds; kind->name; kind++) {
        if (strcmp(kind->name, section->kind) == 0)
            return kind;
        words[count++] = kind->name;
    }
    if (section->broken)
        return NULL;
    cleanup_strbuf struct strbuf hint = {0};
    suggest_word(&hint, section->kind, words, count);
    diagnostics_add(loader->diagnostics, SEVERITY_ERROR, file, section->line, section->column,
                    "unknown section '%s'; %s", section->kind, hint.bytes);
    return NULL;
}

static const struct config_key *find_key(struct loader *loader, const struct section_kind *kind,
                                         const struct ini_setting *setting)
{
    const char *words[MAX_WORDS];
    size_t count = 0;
    for (const struct config_key *key = kind->keys; key->name; key++) {
        size_t length = strlen(key->name);
        if (key->shape == KEY_PREFIX ? strncmp(setting->key, key->name, length) == 0
                                     : strcmp(setting->key, key->name) == 0)
            return key;
        words[count++] = key->shape == KEY_PREFIX ? "env.NAME" : key->name;
    }
    cleanup_strbuf struct strbuf hint = {0};
    suggest_word(&hint, setting->key, words, count);
    loader_report(loader, setting_key_place(setting), "unknown %s '%s' in [%s]; %s",
                  kind->keys == rule_keys ? "level" : "key", setting->key, kind->name, hint.bytes);
    return NULL;
}

/* Whether the key is there for the first time; else says where it was. */
static bool is_first(struct loader *loader, const struct setting_target *target,
                     const struct ini_setting *setting)
{
    struct seen_key **seen = target->scope ? &target->scope->seen : &target->preset->seen;
    for (const struct seen_key *other = *seen; other; other = other->next) {
        if (strcmp(other->key, setting->key) != 0 ||
            strcmp(other->section, setting->section->kind) != 0)
            continue;
        loader_report(loader, setting_key_place(setting),
                      "'%s' is already set in line %u; keep one", setting->key, other->line);
        return false;
    }
    struct seen_key *made = arena_alloc(loader->arena, sizeof(*made));
    *made = (struct seen_key){.section = setting->section->kind,
                              .key = setting->key,
                              .line = setting->line.number,
                              .next = *seen};
    *seen = made;
    return true;
}

void config_apply(struct loader *loader, const struct section_kind *kind,
                  const struct setting_target *target, const struct ini_setting *setting)
{
    const struct config_key *key = find_key(loader, kind, setting);
    if (!key || (key->shape != KEY_LIST && !is_first(loader, target, setting)))
        return;
    if (!key->may_be_empty && setting->value[0] == '\0')
        loader_report(loader, setting_value_place(setting, 0),
                      "'%s' has no value; give it one, or take the line out", setting->key);
    else
        key->apply(loader, target, setting);
}
