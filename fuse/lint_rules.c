#include "lint.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

/*
 * Whether one rule covers all that another covers is asked of the engine by samples: paths that the
 * covered pattern matches, with names in place of its wildcards that nobody would write. What
 * covers all of them at the same place covers the pattern, unless it has a bracket, so such a rule
 * is never said to cover another.
 */
enum { SAMPLES = 3 };

/* In the places of '*', '?', and the directories of "**" or above a pattern without a slash. */
static const struct {
    const char *star, *one, *above;
} fillings[SAMPLES] = {{"\1\2", "\1", ""}, {"a", "b", "\3/\4/"}, {"\5x\5", "\5", "c/"}};

static bool can_be_sampled(const char *pattern)
{
    return strpbrk(pattern, "[{\\") == NULL;
}

static bool is_floating(const char *pattern)
{
    const char *slash = strchr(pattern, '/');
    return !slash || slash[1] == '\0' ? strcmp(pattern, "/") != 0 : false;
}

/* A path that the pattern matches; the caller frees it. */
static char *make_sample(const char *pattern, unsigned number)
{
    struct strbuf path = {0};
    if (is_floating(pattern))
        strbuf_add_text(&path, fillings[number].above);
    for (const char *at = pattern; *at; at++) {
        if (at[0] == '*' && at[1] == '*') {
            bool is_last = at[2] == '\0';
            strbuf_add_text(&path, is_last ? fillings[number].star : fillings[number].above);
            at += is_last ? 1 : 2;
        } else if (*at == '*') {
            strbuf_add_text(&path, fillings[number].star);
        } else if (*at == '?') {
            strbuf_add_text(&path, fillings[number].one);
        } else {
            strbuf_add(&path, at, 1);
        }
    }
    return strbuf_steal(&path);
}

static const struct match *find_match(const struct explanation *explanation,
                                      const struct rule *rule)
{
    for (size_t i = 0; i < explanation->count; i++)
        if (explanation->matches[i].rule == rule)
            return &explanation->matches[i];
    return NULL;
}

/* Whether the other rule covers, on this path, all that the rule covers. */
static bool covers_sample(const struct policy *policy, const char *path, const struct rule *rule,
                          const struct rule *other)
{
    struct explanation explanation;
    if (!policy_explain(policy, path, strlen(path), &explanation))
        return false;
    const struct match *own = find_match(&explanation, rule);
    const struct match *found = find_match(&explanation, other);
    bool covers = own && found && found->covered <= own->covered;
    explanation_free(&explanation);
    return covers;
}

static bool covers(const struct policy *policy, const struct rule *rule, const struct rule *other)
{
    if (strcmp(rule->pattern, other->pattern) == 0)
        return true;
    if (strchr(other->pattern, '[') || !can_be_sampled(rule->pattern))
        return false;
    for (unsigned i = 0; i < SAMPLES; i++) {
        cleanup_free char *path = make_sample(rule->pattern, i);
        if (!covers_sample(policy, path, rule, other))
            return false;
    }
    return true;
}

static void warn(struct diagnostics *diagnostics, const struct rule *rule, const char *text,
                 const struct rule *other)
{
    diagnostics_add(diagnostics, SEVERITY_WARNING, rule->file, rule->line, rule->column,
                    "'%s = %s' %s '%s%s = %s' (%s:%u)", level_name(rule->level), rule->pattern,
                    text, other->is_ceiling ? "ceiling " : "", level_name(other->level),
                    other->pattern, other->file, other->line);
}

/* The presets' own rules are meant to be overruled, so only those of the file are looked at. */
static void check_rule(const struct policy *policy, size_t number, struct diagnostics *diagnostics)
{
    const struct rule *rule = policy_rule(policy, number), *other;
    for (size_t i = number + 1; (other = policy_rule(policy, i)); i++) {
        if (other->is_ceiling && other->level >= rule->level)
            continue;
        if (!covers(policy, rule, other))
            continue;
        if (other->is_ceiling)
            warn(diagnostics, rule,
                 "never gives what it says, because a ceiling covers it all:", other);
        else
            warn(diagnostics, rule, "never decides, because a later rule covers it all:", other);
        return;
    }
}

void lint_rules(const struct config *config, const struct scope *scope,
                struct diagnostics *diagnostics)
{
    const struct rule *rule;
    for (size_t i = 0; (rule = policy_rule(scope->policy, i)); i++) {
        if (rule->is_ceiling || strcmp(rule->file, config->file) != 0)
            continue;
        check_rule(scope->policy, i, diagnostics);
    }
}
