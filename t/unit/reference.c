/*
 * The engine against the reference matcher on random pairs of a rule file and a tree, with
 * everything that decides a level: order, default, ceilings, braces, parents, case.
 * SCOPEFS_TEST_SEED chooses others, SCOPEFS_TEST_ROUNDS more.
 */
#include "../tap.h"
#include "random.h"
#include "reference_matcher.h"
#include "sandbox.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <stdlib.h>

#define MAX_RULES  12
#define MAX_PATHS  120
#define MAX_SCOPES 3

static const char *const names[] = {"a", "b", "ab", "a.c", ".a", "B", "b-1", "x y", "{", "a]"};
#define NAMES (sizeof(names) / sizeof(names[0]))

struct random_scope {
    char name[8];
    char below[64]; /* its source, relative to its parent's */
    bool ignore_case;
    enum level default_level;
    struct reference_rule rules[MAX_RULES];
    char patterns[MAX_RULES][256]; /* of the rules */
    size_t rule_count;
    const struct policy *policy;
};

/* --- making --- */

static void add_component(struct strbuf *text)
{
    static const char *const globs[] = {
        "*",     "?",           "a*",         "*b",
        "*.c",   "a*b",         "*a*",        "[ab]",
        "[!a]",  "[^b]*",       "[a-z]",      "?b",
        "*[.]*", "[[:alpha:]]", "[]a]*",      "[[:digit:][:punct:]]*",
        "\\a",   "\\{",         "a\\]",       "**",
        "a**b",  "*-[0-9]",     "[\\]a]b",    "[b-]*",
        "*?*?",  "***",         "[a-b]*[!b]",
    };
    if (random_percent(45)) {
        const char *name = names[random_below(NAMES)];
        if (*name == '{')
            strbuf_add_text(text, "\\");
        strbuf_add_text(text, name);
    } else {
        strbuf_add_text(text, globs[random_below(sizeof(globs) / sizeof(globs[0]))]);
    }
}

static void add_piece(struct strbuf *text, unsigned depth)
{
    if (depth > 1 || !random_percent(12)) {
        add_component(text);
        return;
    }
    /* An empty alternative needs something beside it, or it leaves an empty name. */
    bool may_be_empty = random_percent(30);
    strbuf_add_text(text, may_be_empty ? "a{" : "{");
    for (unsigned left = 2 + random_below(2); left > 0; left--) {
        if (!may_be_empty || random_percent(60))
            add_piece(text, depth + 1);
        if (!may_be_empty && random_percent(15))
            strbuf_add_text(text, "/b");
        strbuf_add_text(text, left > 1 ? "," : "}");
    }
}

static void make_pattern(struct strbuf *text)
{
    if (random_percent(4)) {
        strbuf_add_text(text, "/");
        return;
    }
    if (random_percent(35))
        strbuf_add_text(text, "/");
    for (unsigned left = 1 + random_below(3); left > 0; left--) {
        add_piece(text, 0);
        if (left > 1)
            strbuf_add_text(text, "/");
    }
    if (random_percent(10))
        strbuf_add_text(text, "/");
}

static void make_scope(struct random_scope *scope, size_t number)
{
    *scope = (struct random_scope){0};
    snprintf(scope->name, sizeof(scope->name), "s%zu", number);
    scope->ignore_case = random_percent(15);
    scope->default_level = (enum level)random_below(4);
    scope->rule_count = random_below(MAX_RULES);
    for (size_t i = 0; i < scope->rule_count; i++) {
        cleanup_strbuf struct strbuf pattern = {0};
        make_pattern(&pattern);
        if (pattern.length >= sizeof(scope->patterns[i]))
            strbuf_clear(&pattern);
        snprintf(scope->patterns[i], sizeof(scope->patterns[i]), "%s",
                 pattern.length ? pattern.bytes : "a");
        scope->rules[i].pattern = scope->patterns[i];
        scope->rules[i].level = (enum level)random_below(4);
        scope->rules[i].is_ceiling = random_percent(25);
    }
    for (unsigned left = number ? random_below(3) : 0; left > 0; left--) {
        size_t used = strlen(scope->below);
        snprintf(scope->below + used, sizeof(scope->below) - used, "%s%s", used ? "/" : "",
                 names[random_below(NAMES)]);
    }
}

static char *config_text(const struct random_scope *scopes, size_t count)
{
    static const char *const levels[] = {"none", "view", "read", "write"};
    cleanup_strbuf struct strbuf source = {0};
    struct strbuf text = {0};
    strbuf_add_text(&source, "/src");
    for (size_t i = 0; i < count; i++) {
        const struct random_scope *scope = &scopes[i];
        if (scope->below[0])
            strbuf_add_format(&source, "/%s", scope->below);
        strbuf_add_format(&text, "[scope %s]\nsource = %s\ndefault = %s\ncase = %s\n", scope->name,
                          source.bytes, levels[scope->default_level],
                          scope->ignore_case ? "ignore" : "exact");
        if (i > 0)
            strbuf_add_format(&text, "parent = %s\n", scopes[i - 1].name);
        for (size_t k = 0; k < scope->rule_count; k++)
            strbuf_add_format(&text, "[%s %s]\n%s = \"%s\"\n",
                              scope->rules[k].is_ceiling ? "ceiling" : "rules", scope->name,
                              levels[scope->rules[k].level], scope->rules[k].pattern);
    }
    return strbuf_steal(&text);
}

static size_t make_paths(char **paths)
{
    size_t count = 0;
    paths[count++] = xstrdup("");
    while (count < MAX_PATHS) {
        struct strbuf path = {0};
        /* Mostly below a path that is there already, so that it is a tree. */
        const char *above = paths[random_percent(30) ? 0 : random_below((unsigned)count)];
        if (*above)
            strbuf_add_format(&path, "%s/", above);
        strbuf_add_text(&path, names[random_below(NAMES)]);
        paths[count++] = strbuf_steal(&path);
    }
    return count;
}

/* --- the reference's answer --- */

static enum level reference_level(const struct random_scope *scopes, size_t number,
                                  const char *path)
{
    enum level level =
        reference_decide(scopes[number].rules, scopes[number].rule_count,
                         scopes[number].default_level, path, scopes[number].ignore_case);
    if (number == 0)
        return level;
    const char *below = scopes[number].below;
    cleanup_free char *above = xasprintf("%s%s%s", below, *below && *path ? "/" : "", path);
    enum level most = reference_level(scopes, number - 1, above);
    return most < level ? most : level;
}

/* --- comparing --- */

struct tally {
    unsigned long paths, different, unreached, untold, not_through, not_equivalent, equivalent;
    unsigned long explained_otherwise;
};

static bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return length == 0 ? *path : strncmp(path, directory, length) == 0 && path[length] == '/';
}

static void check_path(const struct random_scope *scopes, size_t number, const char *path,
                       enum level expected, struct tally *tally)
{
    const struct policy *policy = scopes[number].policy;
    const struct state *state = policy_find(policy, path, strlen(path));
    struct explanation explanation;
    tally->paths++;
    if (!state || state_level(state) != expected) {
        if (tally->different++ == 0)
            diag("'%s' in scope %s: expected %s, got %s", path, scopes[number].name,
                 level_name(expected), state ? level_name(state_level(state)) : "nothing");
        return;
    }
    if (!policy_explain(policy, path, strlen(path), &explanation) ||
        explanation.verdict.level != expected)
        tally->explained_otherwise++;
    else
        explanation_free(&explanation);
}

/* What a directory's state promises about everything below it. */
static void check_promises(const struct policy *policy, char *const *paths,
                           const enum level *levels, size_t count, struct tally *tally)
{
    for (size_t i = 0; i < count; i++) {
        const struct state *above = policy_find(policy, paths[i], strlen(paths[i]));
        for (size_t k = 0; k < count; k++) {
            if (k != i && !is_below(paths[k], paths[i]))
                continue;
            tally->unreached += levels[k] > state_reach(above);
            tally->untold += levels[k] == LEVEL_NONE && !state_may_hide(above);
            tally->not_through +=
                levels[i] == LEVEL_NONE && levels[k] > LEVEL_NONE && !state_is_way_through(above);
        }
    }
}

/* Directories that are said to be equivalent: every path below has the same level under both. */
static void check_equivalence(const struct random_scope *scopes, size_t number, char *const *paths,
                              size_t count, struct tally *tally)
{
    const struct policy *policy = scopes[number].policy;
    for (unsigned tries = 0; tries < 20; tries++) {
        const char *one = paths[random_below((unsigned)count)];
        const char *other = paths[random_below((unsigned)count)];
        if (!state_equivalent(policy_find(policy, one, strlen(one)),
                              policy_find(policy, other, strlen(other))))
            continue;
        tally->equivalent++;
        for (unsigned i = 0; i < 12; i++) {
            const char *below = paths[random_below((unsigned)count)];
            cleanup_free char *under_one = xasprintf("%s/%s", one, below);
            cleanup_free char *under_other = xasprintf("%s/%s", other, below);
            const char *from_one = under_one + (*one == '\0');
            const char *from_other = under_other + (*other == '\0');
            /* A trailing slash of an empty `below` is no part of a path to the reference. */
            if (*below == '\0')
                continue;
            tally->not_equivalent += reference_level(scopes, number, from_one) !=
                                     reference_level(scopes, number, from_other);
        }
    }
}

static bool check_round(struct tally *tally)
{
    struct random_scope scopes[MAX_SCOPES];
    size_t count = random_percent(60) ? 1 : 2 + random_below(MAX_SCOPES - 1);
    for (size_t i = 0; i < count; i++)
        make_scope(&scopes[i], i);
    cleanup_free char *text = config_text(scopes, count);
    struct config *config = must_load(text);
    char *paths[MAX_PATHS];
    size_t path_count = make_paths(paths);
    for (size_t i = 0; i < count; i++)
        scopes[i].policy = config_scope(config, scopes[i].name, NULL)->policy;

    size_t number = count - 1;
    unsigned long wrong = tally->different;
    enum level levels[MAX_PATHS];
    for (size_t i = 0; i < path_count; i++) {
        levels[i] = reference_level(scopes, number, paths[i]);
        check_path(scopes, number, paths[i], levels[i], tally);
    }
    check_promises(scopes[number].policy, paths, levels, path_count, tally);
    check_equivalence(scopes, number, paths, path_count, tally);
    if (tally->different > wrong)
        diag("%s", text);
    for (size_t i = 0; i < path_count; i++)
        free(paths[i]);
    config_free(config);
    return tally->different == wrong;
}

int main(void)
{
    const char *given = getenv("SCOPEFS_TEST_ROUNDS");
    unsigned long rounds = given ? strtoul(given, NULL, 10) : 2000, done = 0;
    unsigned long seed = random_start(20240611);
    struct tally tally = {0};
    note("seed %lu, %lu rounds", seed, rounds);
    while (done < rounds && check_round(&tally))
        done++;

    is_int(done, rounds, "the engine gives every path the reference's level (%lu paths)",
           tally.paths);
    is_int(tally.explained_otherwise, 0, "explain says the same");
    is_int(tally.unreached, 0, "nothing has a level above the reach of a directory over it");
    is_int(tally.untold, 0, "whatever is hidden, the directories over it say so");
    is_int(tally.not_through, 0,
           "every directory over something visible is visible or a way through");
    is_int(tally.not_equivalent, 0, "equivalent directories give all below the same levels (%lu)",
           tally.equivalent);
    ok(tally.equivalent > rounds, "and equivalent directories are common enough to mean something");
    return done_testing();
}
