/*
 * Fuzz target: the engine against the reference matcher. The input is a first line "LEVEL" with the
 * scope's default, and "i" behind it when case is ignored; lines "LEVEL=PATTERN", or
 * "~LEVEL=PATTERN" for a ceiling; an empty line; and paths. Inputs that the reference does not
 * cover are passed over.
 */
#include "../unit/reference_matcher.h"
#include "fuzz.h"
#include "lines.h"

#include "scopefs/config.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <stdbool.h>

/* The reference takes exponential time in the number of stars. */
enum { PATTERN_LIMIT = 64, PATH_LIMIT = 32, STARS_AT_MOST = 4 };

struct own_scope {
    enum level default_level;
    bool ignore_case;
    struct reference_rule rules[RULES_AT_MOST];
    size_t rule_count;
};

static bool reference_knows_classes(const char *pattern)
{
    static const char *const known[] = {"alpha:]", "digit:]", "upper:]", "lower:]",
                                        "alnum:]", "punct:]", "space:]", "xdigit:]"};
    for (const char *at = pattern; (at = strstr(at, "[:")); at += 2) {
        bool is_known = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            is_known = is_known || strncmp(at + 2, known[i], strlen(known[i])) == 0;
        if (!is_known)
            return false;
    }
    return true;
}

/* Whether the reference may be asked about it, and it can stand between quotes in an ini file. */
static bool is_covered(const char *pattern, bool ignore_case)
{
    size_t stars = 0, braces = 0;
    for (const char *at = pattern; *at; at++) {
        stars += *at == '*';
        braces += *at == '{' || *at == ',';
        if ((unsigned char)*at < 0x20 || *at == '"')
            return false;
    }
    /* What a range means without regard to case is the engine's to say. */
    return strlen(pattern) <= PATTERN_LIMIT && stars <= STARS_AT_MOST && braces <= 12 &&
           !(ignore_case && strchr(pattern, '[')) && reference_knows_classes(pattern);
}

static bool read_scope(const struct lines *lines, struct own_scope *scope)
{
    *scope = (struct own_scope){0};
    if (lines->rule_count == 0)
        return false;
    char *first = lines->rules[0];
    size_t length = strlen(first);
    if (length > 0 && first[length - 1] == 'i') {
        scope->ignore_case = true;
        first[length - 1] = '\0';
    }
    if (!level_parse(first, &scope->default_level))
        return false;
    for (size_t i = 1; i < lines->rule_count; i++) {
        struct reference_rule *rule = &scope->rules[scope->rule_count++];
        char *text = lines->rules[i];
        rule->is_ceiling = *text == '~';
        text += rule->is_ceiling;
        char *equals = strchr(text, '=');
        if (!equals)
            return false;
        *equals = '\0';
        rule->pattern = equals + 1;
        if (!level_parse(text, &rule->level) || !is_covered(rule->pattern, scope->ignore_case))
            return false;
    }
    return true;
}

static struct config *load(const struct own_scope *scope)
{
    cleanup_strbuf struct strbuf text = {0};
    cleanup_diagnostics struct diagnostics found = {0};
    strbuf_add_format(&text, "[scope fuzz]\nsource = /source\ndefault = %s\ncase = %s\n",
                      level_name(scope->default_level), scope->ignore_case ? "ignore" : "exact");
    for (size_t i = 0; i < scope->rule_count; i++) {
        const struct reference_rule *rule = &scope->rules[i];
        strbuf_add_format(&text, "[%s fuzz]\n%s = \"%s\"\n", rule->is_ceiling ? "ceiling" : "rules",
                          level_name(rule->level), rule->pattern);
    }
    return config_load(fuzz_file(text.bytes, text.length), &found);
}

/* A path as the reference wants it: names of directory entries with single slashes. */
static bool is_plain_path(const char *path, size_t length, bool ignore_case)
{
    if (length > PATH_LIMIT || memchr(path, '\0', length))
        return false;
    for (size_t at = 0; at < length;) {
        const char *slash = memchr(path + at, '/', length - at);
        size_t end = slash ? (size_t)(slash - path) : length;
        bool dots = (end - at == 1 && path[at] == '.') ||
                    (end - at == 2 && path[at] == '.' && path[at + 1] == '.');
        if (end == at || dots || end + 1 == length)
            return false;
        for (size_t i = at; i < end; i++)
            if (ignore_case && (unsigned char)path[i] >= 0x80)
                return false;
        at = end + 1;
    }
    return true;
}

/* The path's level, and what every directory above promises about it. */
static void check_path(const struct policy *policy, const struct own_scope *scope, const char *path)
{
    enum level expected = reference_decide(scope->rules, scope->rule_count, scope->default_level,
                                           path, scope->ignore_case);
    const struct state *state = policy_find(policy, path, strlen(path));
    fuzz_check(state && state_level(state) == expected, "'%s' is %s, to the reference %s", path,
               state ? level_name(state_level(state)) : "nothing", level_name(expected));
    state = policy_root(policy);
    for (const char *at = path; *at;) {
        fuzz_check(state_reach(state) >= expected, "'%s' is above the reach of what is over it",
                   path);
        fuzz_check(expected > LEVEL_NONE || state_may_hide(state),
                   "'%s' is hidden, and what is over it does not say so", path);
        fuzz_check(expected == LEVEL_NONE || state_level(state) > LEVEL_NONE ||
                       state_is_way_through(state),
                   "'%s' is visible, and there is no way to it", path);
        size_t length = strcspn(at, "/");
        state = state_step(state, at, length);
        at += length + (at[length] == '/');
    }
    fuzz_check(state_level(state) == expected, "'%s' has another level step by step", path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lines lines;
    struct own_scope scope;
    lines_read(&lines, data, size);
    struct config *config = read_scope(&lines, &scope) ? load(&scope) : NULL;
    for (size_t i = 0; config && i < lines.path_count; i++)
        if (is_plain_path(lines.paths[i], lines.path_lengths[i], scope.ignore_case))
            check_path(config->scopes[0]->policy, &scope, lines.paths[i]);
    config_free(config);
    lines_free(&lines);
    return 0;
}
