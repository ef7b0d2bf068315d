#include "config.h"

#include "config_build.h"

#include "exec_settings.h"
#include "paths.h"
#include "policy_build.h"
#include "preset.h"
#include "suggest.h"
#include "template.h"

#include "scopefs/audit_sink.h"
#include "scopefs/mem.h"

#define MAX_NAME (SCOPE_NAME_ROOM - 1)

void rule_source_init(struct rule_source *source)
{
    source->last_use = &source->uses;
    source->last_rule = &source->rules;
    source->last_command_rule = &source->command_rules;
}

bool is_valid_name(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t length = strlen(name);
    if (length == 0 || length > MAX_NAME || !strchr(first, name[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!strchr(first, name[i]) && name[i] != '-' && name[i] != '.')
            return false;
    return true;
}

bool scope_name_is_valid(const char *name)
{
    return is_valid_name(name);
}

struct scope_draft *loader_new_draft(struct loader *loader, const char *name,
                                     struct setting_place place)
{
    struct scope_draft *draft = arena_alloc(loader->arena, sizeof(*draft));
    draft->scope.name = name;
    draft->scope.place = place;
    draft->default_level = LEVEL_NONE;
    draft->scope.cache_seconds = CACHE_SECONDS;
    draft->scope.passthrough = PASSTHROUGH_DEFAULT;
    draft->scope.log_targets = LOG_TO_FILE;
    draft->scope.exec.kill_after_ms = KILL_AFTER_MS;
    draft->scope.exec.session_idle_ms = SESSION_IDLE_MS;
    draft->scope.exec.session_count = SESSION_COUNT;
    draft->last_env = &draft->env;
    draft->last_bind = &draft->binds;
    draft->last_network = &draft->network;
    rule_source_init(&draft->source);
    return draft;
}

struct scope_draft *loader_add_draft(struct loader *loader, const char *name,
                                     struct setting_place place)
{
    struct scope_draft *draft = loader_new_draft(loader, name, place);
    *loader->last_draft = draft;
    loader->last_draft = &draft->next;
    return draft;
}

struct scope_draft *loader_find_draft(const struct loader *loader, const char *name)
{
    for (struct scope_draft *draft = loader->drafts; draft; draft = draft->next)
        if (strcmp(draft->scope.name, name) == 0)
            return draft;
    return NULL;
}

void loader_suggest_scope(const struct loader *loader, const char *wrong, struct strbuf *text)
{
    size_t count = 0;
    for (const struct scope_draft *draft = loader->drafts; draft; draft = draft->next)
        count++;
    cleanup_free const char **names = xcalloc(count, sizeof(*names));
    count = 0;
    for (const struct scope_draft *draft = loader->drafts; draft; draft = draft->next)
        names[count++] = draft->scope.name;
    suggest_word(text, wrong, names, count);
}

void loader_add_use(struct loader *loader, struct rule_source *source, const char *name,
                    struct setting_place place)
{
    struct preset_use *use = arena_alloc(loader->arena, sizeof(*use));
    use->name = name;
    use->place = place;
    *source->last_use = use;
    source->last_use = &use->next;
}

void loader_add_rule(struct loader *loader, struct rule_source *source, const struct rule *rule,
                     const struct ini_setting *setting)
{
    struct pattern_error error;
    const struct pattern *pattern =
        pattern_parse(loader->arena, rule->pattern, strlen(rule->pattern), &error);
    if (!pattern) {
        unsigned column = setting ? ini_setting_column(setting, error.offset)
                                  : rule->column + (unsigned)error.offset;
        diagnostics_add(loader->diagnostics, SEVERITY_ERROR, rule->file, rule->line, column, "%s",
                        error.message);
        return;
    }
    struct rule_text *text = arena_alloc(loader->arena, sizeof(*text));
    text->rule = *rule;
    text->pattern = pattern;
    *source->last_rule = text;
    source->last_rule = &text->next;
}

/* Presets first, in their order; then the rules of the section itself. */
static void add_rules(struct loader *loader, struct policy *policy,
                      const struct rule_source *source)
{
    for (const struct preset_use *use = source->uses; use; use = use->next)
        if (use->preset)
            add_rules(loader, policy, &use->preset->source);
    for (const struct rule_text *text = source->rules; text; text = text->next) {
        char message[256];
        if (!policy_add(policy, &text->rule, text->pattern, message, sizeof(message)))
            diagnostics_add(loader->diagnostics, SEVERITY_ERROR, text->rule.file, text->rule.line,
                            text->rule.column, "PCRE2 cannot compile the pattern: %s", message);
    }
}

static void warn(struct loader *loader, const struct policy *policy)
{
    const struct rule *rule = NULL;
    while ((rule = policy_next_revealing_rule(policy, rule)))
        diagnostics_add(loader->diagnostics, SEVERITY_WARNING, rule->file, rule->line, rule->column,
                        "this rule makes all directory names visible, because what it matches may "
                        "lie in any of them; anchor it with a slash where it belongs");
}

/* Why the scope's source does not lie below its parent's, in one message; true when it does. */
static bool check_parent_source(struct loader *loader, const struct scope_draft *draft,
                                const struct scope_draft *parent)
{
    if (path_below(draft->scope.source, parent->scope.source))
        return true;
    loader_report(loader, draft->parent_place,
                  "the source %s does not lie in the parent's source %s; give it one below that, "
                  "or take the parent out",
                  draft->scope.source, parent->scope.source);
    return false;
}

/* The draft of the parent, or NULL when there is none or after a message. */
static struct scope_draft *find_parent(struct loader *loader, struct scope_draft *draft)
{
    struct scope_draft *parent = loader_find_draft(loader, draft->parent_name);
    if (!parent) {
        cleanup_strbuf struct strbuf hint = {0};
        loader_suggest_scope(loader, draft->parent_name, &hint);
        loader_report(loader, draft->parent_place, "the parent '%s' is no scope of this file; %s",
                      draft->parent_name, hint.bytes);
        return NULL;
    }
    if (parent->progress == DRAFT_BUILDING) {
        loader_report(loader, draft->parent_place,
                      "the scope '%s' is its own parent this way; take the parent out",
                      draft->parent_name);
        return NULL;
    }
    return parent;
}

static void build(struct loader *loader, struct scope_draft *draft);

/* False after a message. */
static bool set_parent(struct loader *loader, struct scope_draft *draft,
                       struct policy_options *options)
{
    struct scope_draft *parent = find_parent(loader, draft);
    if (!parent)
        return false;
    build(loader, parent);
    if (!parent->policy || !parent->scope.source || !draft->scope.source ||
        !check_parent_source(loader, draft, parent))
        return false;
    draft->parent = parent;
    draft->scope.parent = &parent->scope;
    options->parent = parent->policy;
    options->parent_name = parent->scope.name;
    options->parent_path = path_below(draft->scope.source, parent->scope.source);
    return true;
}

static void build(struct loader *loader, struct scope_draft *draft)
{
    if (draft->progress != DRAFT_NEW)
        return;
    draft->progress = DRAFT_BUILDING;
    struct policy_options options = {
        .default_level = draft->default_level,
        .ignore_case = draft->scope.ignore_case,
    };
    presets_load(loader, &draft->source);
    if (!draft->parent_name || set_parent(loader, draft, &options)) {
        draft->policy = policy_new(&options);
        add_rules(loader, draft->policy, &draft->source);
        policy_seal(draft->policy);
        warn(loader, draft->policy);
        draft->scope.policy = draft->policy;
    }
    draft->progress = DRAFT_BUILT;
}

/* What was refused has had its message. */
static bool was_given_source(const struct scope_draft *draft)
{
    for (const struct seen_key *seen = draft->seen; seen; seen = seen->next)
        if (strcmp(seen->key, "source") == 0)
            return true;
    return draft->may_have_source;
}

static unsigned line_of_mount(const struct scope_draft *draft)
{
    for (const struct seen_key *seen = draft->seen; seen; seen = seen->next)
        if (strcmp(seen->section, "scope") == 0 && strcmp(seen->key, "mount") == 0)
            return seen->line;
    return draft->scope.place.line;
}

/* Two views on one directory would hide each other. A template has as many as it has scopes. */
static void check_mount(struct loader *loader, const struct scope_draft *draft)
{
    const struct scope_draft *other = loader->drafts;
    if (!draft->scope.mount || is_template_name(draft->scope.name))
        return;
    while (other != draft && (!other->scope.mount || is_template_name(other->scope.name) ||
                              strcmp(other->scope.mount, draft->scope.mount) != 0))
        other = other->next;
    if (other == draft)
        return;
    struct setting_place place = {draft->scope.place.file, line_of_mount(draft), 1};
    loader_report(loader, place,
                  "the scope '%s' already has the mount point %s in line %u; give each its own",
                  other->scope.name, draft->scope.mount, line_of_mount(other));
}

void loader_finish(struct loader *loader)
{
    for (struct scope_draft *draft = loader->drafts; draft; draft = draft->next) {
        if (!was_given_source(draft))
            loader_report(loader, draft->scope.place,
                          "the scope '%s' has no source; add the line: source = DIRECTORY",
                          draft->scope.name);
        check_mount(loader, draft);
        build(loader, draft);
        exec_settings_collect(loader, draft);
    }
}
