/* The keys of [exec NAME]: how commands run in a scope. */
#include "config_keys.h"
#include "paths.h"
#include "setting_value.h"

#include "scopefs/command_rules.h"
#include "scopefs/env_name.h"
#include "scopefs/network_pattern.h"

#include <string.h>

static const char blanks[] = " \t\r\v\f";

static void set_network(struct loader *loader, const struct setting_target *target,
                        const struct ini_setting *setting)
{
    static const char *const words[] = {
        [NETWORK_NONE] = "none", [NETWORK_HOST] = "host", [NETWORK_ALLOW] = "allow"};
    int chosen = setting_choose(loader, setting, words, 3);
    if (chosen >= 0)
        target->scope->scope.exec.network = (enum network_mode)chosen;
    target->scope->network_place = setting_value_place(setting, 0);
}

static void add_network_pattern(struct loader *loader, struct scope_draft *scope,
                                const struct ini_setting *setting, const char *at, size_t length)
{
    const char *pattern = arena_memdup0(loader->arena, at, length);
    size_t start = (size_t)(at - setting->value);
    struct network_pattern parsed;
    const char *message;
    size_t offset;
    if (!network_pattern_parse(pattern, &parsed, &offset, &message)) {
        loader_report(loader, setting_value_place(setting, start + offset),
                      "'%s' is no host to talk to: %s", pattern, message);
        return;
    }
    struct network_draft *made = arena_alloc(loader->arena, sizeof(*made));
    *made =
        (struct network_draft){.pattern = pattern, .place = setting_value_place(setting, start)};
    *scope->last_network = made;
    scope->last_network = &made->next;
}

static void add_network_patterns(struct loader *loader, const struct setting_target *target,
                                 const struct ini_setting *setting)
{
    const char *at = setting->value + strspn(setting->value, blanks);
    while (*at) {
        size_t length = strcspn(at, blanks);
        add_network_pattern(loader, target->scope, setting, at, length);
        at += length;
        at += strspn(at, blanks);
    }
}

static void set_ptrace(struct loader *loader, const struct setting_target *target,
                       const struct ini_setting *setting)
{
    static const char *const words[] = {"no", "yes"};
    target->scope->scope.exec.ptrace = setting_choose(loader, setting, words, 2) == 1;
}

/* --- Limits --- */

static void set_timeout(struct loader *loader, const struct setting_target *target,
                        const struct ini_setting *setting)
{
    setting_duration(loader, setting, &target->scope->scope.exec.timeout_ms);
}

static void set_kill_after(struct loader *loader, const struct setting_target *target,
                           const struct ini_setting *setting)
{
    setting_duration(loader, setting, &target->scope->scope.exec.kill_after_ms);
}

static unsigned long long *size_of_key(struct exec_limits *limits, const char *key)
{
    if (strcmp(key, "memory") == 0)
        return &limits->memory;
    if (strcmp(key, "file-size") == 0)
        return &limits->file_size;
    return strcmp(key, "tmp-size") == 0 ? &limits->tmp_size : &limits->max_output;
}

static void set_size(struct loader *loader, const struct setting_target *target,
                     const struct ini_setting *setting)
{
    struct exec_limits *limits = &target->scope->scope.exec.limits;
    if (!setting_amount(setting->value, "KMGT", size_of_key(limits, setting->key)))
        loader_report(loader, setting_value_place(setting, 0),
                      "'%s' is no size; write a whole number from 1, of bytes or with a unit: "
                      "500000, 64K, 20M, 2G, 1T",
                      setting->value);
}

static void set_count(struct loader *loader, const struct setting_target *target,
                      const struct ini_setting *setting)
{
    struct exec_limits *limits = &target->scope->scope.exec.limits;
    bool is_pids = strcmp(setting->key, "pids") == 0;
    if (!setting_amount(setting->value, "", is_pids ? &limits->processes : &limits->open_files))
        loader_report(loader, setting_value_place(setting, 0),
                      "'%s' is no number; write a whole number from 1", setting->value);
}

static void set_cpu(struct loader *loader, const struct setting_target *target,
                    const struct ini_setting *setting)
{
    size_t digits = strspn(setting->value, "0123456789");
    const char *number = arena_memdup0(loader->arena, setting->value, digits);
    unsigned long long percent;
    if (strcmp(setting->value + digits, "%") == 0 && setting_amount(number, "", &percent) &&
        percent <= 1000000)
        target->scope->scope.exec.limits.cpu_percent = percent;
    else
        loader_report(loader, setting_value_place(setting, 0),
                      "'%s' is no share of processor time; write a percentage, with 100%% for one "
                      "whole processor: 50%%, 200%%",
                      setting->value);
}

static void set_limits(struct loader *loader, const struct setting_target *target,
                       const struct ini_setting *setting)
{
    static const char *const words[] = {"best", "strict"};
    target->scope->scope.exec.limits.strict = setting_choose(loader, setting, words, 2) == 1;
}

/* --- Environment --- */

static void append_env(struct loader *loader, struct scope_draft *scope, struct env_setting setting)
{
    struct env_draft *made = arena_alloc(loader->arena, sizeof(*made));
    made->setting = setting;
    *scope->last_env = made;
    scope->last_env = &made->next;
}

static void add_env(struct loader *loader, struct scope_draft *scope, struct env_setting setting,
                    struct setting_place place)
{
    for (const struct env_draft *other = scope->env; other; other = other->next) {
        if (!other->setting.name || strcmp(other->setting.name, setting.name) != 0)
            continue;
        loader_report(loader, place, "the variable %s is already set or passed on; keep one",
                      setting.name);
        return;
    }
    append_env(loader, scope, setting);
}

static void set_env(struct loader *loader, const struct setting_target *target,
                    const struct ini_setting *setting)
{
    const char *name = setting->key + strlen("env.");
    struct setting_place place = setting_key_place(setting);
    if (!env_name_is_valid(name, strlen(name)))
        loader_report(loader, place,
                      "'%s' cannot be a variable's name; it is made of letters, digits and '_'",
                      name);
    else
        add_env(loader, target->scope, (struct env_setting){.name = name, .value = setting->value},
                place);
}

static void add_passed_name(struct loader *loader, const struct setting_target *target,
                            const char *name, bool forced, struct setting_place place)
{
    if (!env_name_is_valid(name, strlen(name)))
        loader_report(loader, place,
                      "'%s' cannot be a variable's name; write names with blanks between them",
                      name);
    else if (!forced && env_name_is_unsafe(name))
        loader_report(loader, place,
                      "%s makes programs run other code and is never passed on; if that is "
                      "meant, set it: env.%s = VALUE, or let it through: env-force = %s",
                      name, name, name);
    else
        add_env(loader, target->scope, (struct env_setting){.name = name, .forced = forced}, place);
}

static void add_env_pass(struct loader *loader, const struct setting_target *target,
                         const struct ini_setting *setting)
{
    bool forced = strcmp(setting->key, "env-force") == 0;
    const char *at = setting->value + strspn(setting->value, blanks);
    while (*at) {
        size_t length = strcspn(at, blanks);
        add_passed_name(loader, target, arena_memdup0(loader->arena, at, length), forced,
                        setting_value_place(setting, (size_t)(at - setting->value)));
        at += length;
        at += strspn(at, blanks);
    }
}

static void add_env_file(struct loader *loader, const struct setting_target *target,
                         const struct ini_setting *setting)
{
    struct env_setting made = {0};
    setting_path(loader, setting, &made.value);
    if (made.value)
        append_env(loader, target->scope, made);
}

/* --- What the command sees --- */

static void set_rootfs(struct loader *loader, const struct setting_target *target,
                       const struct ini_setting *setting)
{
    setting_path(loader, setting, &target->scope->scope.exec.rootfs);
}

/* A place inside, as it was written but for slashes at its end; NULL after a message. */
static const char *inner_path(struct loader *loader, const struct ini_setting *setting,
                              const char *text, size_t length)
{
    size_t offset = (size_t)(text - setting->value);
    const char *message = "it must begin with '/': it is a place inside";
    const char *copy = arena_memdup0(loader->arena, text, length);
    const char *path = copy[0] == '/' ? path_resolve(loader->arena, "/", copy, &message) : NULL;
    if (path && strcmp(path, "/") == 0)
        message = "it cannot be the root";
    else if (path)
        return path;
    loader_report(loader, setting_value_place(setting, offset), "'%s': %s", copy, message);
    return NULL;
}

static void set_workspace(struct loader *loader, const struct setting_target *target,
                          const struct ini_setting *setting)
{
    target->scope->scope.exec.workspace =
        inner_path(loader, setting, setting->value, strlen(setting->value));
}

/* SOURCE [DESTINATION]; by default the same place. */
static void add_bind(struct loader *loader, const struct setting_target *target,
                     const struct ini_setting *setting)
{
    size_t length = strcspn(setting->value, blanks);
    const char *second = setting->value + length + strspn(setting->value + length, blanks);
    size_t second_length = strcspn(second, blanks);
    const char *message = NULL;
    struct exec_bind bind = {.place = setting_value_place(setting, 0)};
    if (second[second_length + strspn(second + second_length, blanks)] != '\0') {
        loader_report(loader, bind.place,
                      "write a path of the host, and perhaps a place inside; a path with a blank "
                      "cannot be bound");
        return;
    }
    bind.source = path_resolve(loader->arena, loader->base,
                               arena_memdup0(loader->arena, setting->value, length), &message);
    if (!bind.source) {
        loader_report(loader, bind.place, "%s", message);
        return;
    }
    bind.destination = *second ? inner_path(loader, setting, second, second_length) : bind.source;
    if (!bind.destination)
        return;
    struct bind_draft *made = arena_alloc(loader->arena, sizeof(*made));
    made->bind = bind;
    *target->scope->last_bind = made;
    target->scope->last_bind = &made->next;
}

/* --- Which commands --- */

static void add_command_rule(struct loader *loader, const struct setting_target *target,
                             const struct ini_setting *setting)
{
    struct rule_source *source = target->source;
    struct command_rule rule = {
        .verdict = COMMAND_ALLOW,
        .pattern = setting->value,
        .place = setting_value_place(setting, 0),
    };
    char message[256];
    size_t offset = 0;
    if (strcmp(setting->key, "allow") != 0)
        rule.verdict = strcmp(setting->key, "deny") == 0 ? COMMAND_DENY : COMMAND_ASK;
    if (!command_rule_check(setting->value, &offset, message, sizeof(message))) {
        loader_report(loader, setting_value_place(setting, offset), "%s", message);
        return;
    }
    struct command_rule_text *made = arena_alloc(loader->arena, sizeof(*made));
    made->rule = rule;
    *source->last_command_rule = made;
    source->last_command_rule = &made->next;
}

static void set_approver(struct loader *loader, const struct setting_target *target,
                         const struct ini_setting *setting)
{
    setting_path(loader, setting, &target->scope->scope.exec.approver);
}

/* --- Sessions --- */

static void set_session_idle(struct loader *loader, const struct setting_target *target,
                             const struct ini_setting *setting)
{
    setting_duration(loader, setting, &target->scope->scope.exec.session_idle_ms);
}

static void set_sessions(struct loader *loader, const struct setting_target *target,
                         const struct ini_setting *setting)
{
    if (!setting_amount(setting->value, "", &target->scope->scope.exec.session_count))
        loader_report(loader, setting_value_place(setting, 0),
                      "'%s' is no number; write a whole number from 1", setting->value);
}

const struct config_key config_exec_keys[] = {
    {"network", KEY_ONCE, false, set_network},
    {"network-allow", KEY_LIST, false, add_network_patterns},
    {"ptrace", KEY_ONCE, false, set_ptrace},
    {"timeout", KEY_ONCE, false, set_timeout},
    {"kill-after", KEY_ONCE, false, set_kill_after},
    {"memory", KEY_ONCE, false, set_size},
    {"pids", KEY_ONCE, false, set_count},
    {"cpu", KEY_ONCE, false, set_cpu},
    {"file-size", KEY_ONCE, false, set_size},
    {"open-files", KEY_ONCE, false, set_count},
    {"tmp-size", KEY_ONCE, false, set_size},
    {"max-output", KEY_ONCE, false, set_size},
    {"limits", KEY_ONCE, false, set_limits},
    {"env.", KEY_PREFIX, true, set_env},
    {"env-pass", KEY_LIST, false, add_env_pass},
    {"env-force", KEY_LIST, false, add_env_pass},
    {"env-file", KEY_LIST, false, add_env_file},
    {"ro-bind", KEY_LIST, false, add_bind},
    {"rootfs", KEY_ONCE, false, set_rootfs},
    {"workspace", KEY_ONCE, false, set_workspace},
    {"allow", KEY_LIST, false, add_command_rule},
    {"deny", KEY_LIST, false, add_command_rule},
    {"ask", KEY_LIST, false, add_command_rule},
    {"approver", KEY_ONCE, false, set_approver},
    {"session-idle", KEY_ONCE, false, set_session_idle},
    {"sessions", KEY_ONCE, false, set_sessions},
    {0},
};

const struct config_key config_preset_exec_keys[] = {
    {"allow", KEY_LIST, false, add_command_rule},
    {"deny", KEY_LIST, false, add_command_rule},
    {"ask", KEY_LIST, false, add_command_rule},
    {0},
};
