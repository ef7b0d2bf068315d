#include "exec_settings.h"

/* A nested scope's commands find its parent's variables, and its own over them. The parent is
 * built, but perhaps not collected yet: drafts stand in file order. */
static size_t count_env(const struct scope_draft *draft)
{
    size_t count = draft->parent ? count_env(draft->parent) : 0;
    for (const struct env_draft *env = draft->env; env; env = env->next)
        count++;
    return count;
}

static struct env_setting *copy_env(const struct scope_draft *draft, struct env_setting *to)
{
    if (draft->parent)
        to = copy_env(draft->parent, to);
    for (const struct env_draft *env = draft->env; env; env = env->next)
        *to++ = env->setting;
    return to;
}

static void collect_binds(struct arena *arena, const struct scope_draft *draft,
                          struct exec_settings *exec)
{
    for (const struct bind_draft *bind = draft->binds; bind; bind = bind->next)
        exec->bind_count++;
    struct exec_bind *binds = arena_alloc(arena, exec->bind_count * sizeof(*binds));
    exec->binds = binds;
    for (const struct bind_draft *bind = draft->binds; bind; bind = bind->next)
        *binds++ = bind->bind;
}

static size_t count_command_rules(const struct rule_source *source)
{
    size_t count = 0;
    for (const struct preset_use *use = source->uses; use; use = use->next)
        count += use->preset ? count_command_rules(&use->preset->source) : 0;
    for (const struct command_rule_text *text = source->command_rules; text; text = text->next)
        count++;
    return count;
}

static struct command_rule *copy_command_rules(const struct rule_source *source,
                                               struct command_rule *to)
{
    for (const struct preset_use *use = source->uses; use; use = use->next)
        if (use->preset)
            to = copy_command_rules(&use->preset->source, to);
    for (const struct command_rule_text *text = source->command_rules; text; text = text->next)
        *to++ = text->rule;
    return to;
}

static void collect_network(struct loader *loader, const struct scope_draft *draft,
                            struct exec_settings *exec)
{
    const struct network_draft *first = draft->network;
    if (first && exec->network != NETWORK_ALLOW)
        loader_report(loader, first->place,
                      "'network-allow' has no effect without the line: network = allow");
    else if (!first && exec->network == NETWORK_ALLOW)
        loader_report(loader, draft->network_place,
                      "'network = allow' allows nothing yet; add a line: network-allow = HOST");
    for (const struct network_draft *line = first; line; line = line->next)
        exec->network_pattern_count++;
    const char **patterns =
        arena_alloc(loader->arena, exec->network_pattern_count * sizeof(char *));
    exec->network_patterns = patterns;
    for (const struct network_draft *line = first; line; line = line->next)
        *patterns++ = line->pattern;
}

void exec_settings_collect(struct loader *loader, struct scope_draft *draft)
{
    struct arena *arena = loader->arena;
    struct exec_settings *exec = &draft->scope.exec;
    exec->env_count = count_env(draft);
    struct env_setting *env = arena_alloc(arena, exec->env_count * sizeof(*env));
    copy_env(draft, env);
    exec->env = env;
    collect_binds(arena, draft, exec);
    collect_network(loader, draft, exec);
    exec->command_rule_count = count_command_rules(&draft->source);
    struct command_rule *rules = arena_alloc(arena, exec->command_rule_count * sizeof(*rules));
    copy_command_rules(&draft->source, rules);
    exec->command_rules = rules;
}
