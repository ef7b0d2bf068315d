/* Which level a path gets, and what a state promises about what lies below. */
#include "../tap.h"
#include "sandbox.h"

#include "scopefs/mem.h"

#define SCOPE "[scope s]\nsource = /s\n"

static const struct state *state_of(const struct config *config, const char *scope,
                                    const char *path)
{
    return policy_find(config_scope(config, scope, NULL)->policy, path, strlen(path));
}

/* Pairs of a path and its level in the scope. */
static void check_levels(const struct config *config, const char *scope, const char *about,
                         const char *const (*rows)[2])
{
    for (; (*rows)[0]; rows++)
        is_string(level_of(config, scope, (*rows)[0]), (*rows)[1], "%s: '%s' is %s", about,
                  (*rows)[0], (*rows)[1]);
}

static void check_names(void)
{
    enum level level = LEVEL_VIEW;
    ok(level_parse("none", &level) && level == LEVEL_NONE, "none is a level");
    ok(level_parse("write", &level) && level == LEVEL_WRITE, "write is a level");
    ok(!level_parse("Write", &level) && level == LEVEL_WRITE, "Write is none, and changes nothing");
    ok(!level_parse("", &level), "the empty word is none");
    is_string(level_name(LEVEL_VIEW), "view", "a level has a name");
}

static void check_order(void)
{
    static const char *const rows[][2] = {
        {"", "read"},        {"a", "read"},     {"web", "write"},
        {"web/x", "write"},  {"web/y", "none"}, {"web/y/z", "view"},
        {"web/y/w", "none"}, {"y", "none"},     {NULL, NULL},
    };
    struct config *config = must_load("[rules s]\nread = /\nwrite = /web\nnone = y\n" SCOPE
                                      "default = view\n[rules s]\nview = /web/y/z\n");
    check_levels(config, "s", "the last rule that covers decides", rows);
    config_free(config);
}

static void check_default(void)
{
    struct config *config = must_load(SCOPE "[scope w]\nsource = /w\ndefault = write\n[rules w]\n"
                                            "none = x\n");
    is_string(level_of(config, "s", "a"), "none", "without rules all is none");
    is_string(level_of(config, "w", "a"), "write", "the default holds where no rule covers");
    is_string(level_of(config, "w", "a/x/b"), "none", "a rule covers what lies below");
    ok(!state_may_hide(state_of(config, "w", "x")) == false, "a hidden directory says so");
    config_free(config);
}

static void check_ceilings(void)
{
    static const char *const rows[][2] = {
        {"a", "write"},   {"a/.env", "none"},     {".env/x/y", "none"},
        {".git", "read"}, {".git/hooks", "view"}, {".git/hooks/x", "view"},
        {"low", "view"},  {"low/.git", "view"},   {NULL, NULL},
    };
    struct config *config = must_load(SCOPE "[ceiling s]\nnone = .env\nread = .git\nwrite = /a\n"
                                            "view = .git/hooks\n[rules s]\nwrite = /\nview = /low\n"
                                            "write = .env\n");
    check_levels(config, "s", "a ceiling can only lower", rows);
    struct verdict verdict = state_verdict(state_of(config, "s", "low/.git"));
    ok(!verdict.ceiling, "a ceiling that lowers nothing is not named");
    verdict = state_verdict(state_of(config, "s", "b/.env"));
    ok(verdict.ceiling && strcmp(verdict.ceiling->pattern, ".env") == 0 &&
           verdict.ceiling->is_ceiling && verdict.wanted == LEVEL_WRITE,
       "one that lowers is named, with what the rules wanted");
    ok(verdict.rule && verdict.rule->level == LEVEL_WRITE &&
           strcmp(verdict.rule->pattern, ".env") == 0,
       "and the rule beside it");
    config_free(config);

    config = must_load(SCOPE "default = write\n[ceiling s]\nview = /\nnone = /x\nread = /\n");
    is_string(level_of(config, "s", ""), "view", "the lowest ceiling on the root covers the root");
    is_string(level_of(config, "s", "a/b"), "view", "and all below");
    is_string(level_of(config, "s", "x"), "none", "and others still lower");
    config_free(config);
}

static void check_way_through(void)
{
    struct config *config =
        must_load(SCOPE "[rules s]\nread = /a/b/c\nread = /x/*/y\nwrite = /closed/in\n"
                        "[ceiling s]\nnone = /closed\nread = /x\n");
    static const struct {
        const char *path;
        bool through;
        enum level reach;
    } rows[] = {
        {"", true, LEVEL_READ},           {"a", true, LEVEL_READ},
        {"a/b", true, LEVEL_READ},        {"a/b/c", false, LEVEL_READ},
        {"a/b/c/d", false, LEVEL_READ},   {"a/x", false, LEVEL_NONE},
        {"b", false, LEVEL_NONE},         {"x", true, LEVEL_READ},
        {"x/any", true, LEVEL_READ},      {"x/any/y", false, LEVEL_READ},
        {"x/any/z", false, LEVEL_NONE},   {"closed", false, LEVEL_NONE},
        {"closed/in", false, LEVEL_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct state *state = state_of(config, "s", rows[i].path);
        is_int(state_is_way_through(state), rows[i].through, "'%s' is %s way through", rows[i].path,
               rows[i].through ? "a" : "no");
        bool is_root = rows[i].path[0] == '\0';
        is_int(state_reach(state), is_root ? LEVEL_WRITE : rows[i].reach, "how far '%s' reaches",
               rows[i].path);
        is_int(state_verdict(state).way_through, rows[i].through, "the verdict on '%s' agrees",
               rows[i].path);
    }
    config_free(config);

    config = must_load(SCOPE "[rules s]\nread = *.c\n");
    ok(state_is_way_through(state_of(config, "s", "any/where")),
       "a pattern without a slash makes every directory a way through");
    config_free(config);
}

static void check_reach(void)
{
    struct config *config = must_load(SCOPE "default = view\n[rules s]\nwrite = /a/b\nread = /c/d\n"
                                            "none = /c\n[ceiling s]\nread = /a\n");
    is_int(state_reach(state_of(config, "s", "")), LEVEL_WRITE, "the reach of the root");
    is_int(state_reach(state_of(config, "s", "a")), LEVEL_READ, "a ceiling lowers the reach");
    is_int(state_reach(state_of(config, "s", "x")), LEVEL_VIEW, "what no rule is left for");
    is_int(state_reach(state_of(config, "s", "c")), LEVEL_NONE,
           "rules before the one that decided count no more");
    config_free(config);
}

static void check_may_hide(void)
{
    struct config *config =
        must_load(SCOPE "default = write\n[rules s]\nnone = /a/b\n[scope c]\nsource = /c\n"
                        "default = write\n[ceiling c]\nnone = .env\n[rules c]\nread = x\n"
                        "[scope r]\nsource = /r\ndefault = write\n[rules r]\nread = /x\n");
    ok(state_may_hide(state_of(config, "s", "")), "something may be hidden below the root");
    ok(state_may_hide(state_of(config, "s", "a")), "and below a");
    ok(!state_may_hide(state_of(config, "s", "b")), "but not below b");
    ok(!state_may_hide(state_of(config, "s", "a/c")), "nor below a/c");
    ok(state_may_hide(state_of(config, "s", "a/b")), "a hidden directory hides");
    ok(state_may_hide(state_of(config, "c", "x/y")), "a ceiling hides everywhere");
    ok(!state_may_hide(state_of(config, "r", "")), "rules that only make readable hide nothing");
    config_free(config);
}

static const char nested[] = "[scope top]\nsource = /srv/shop\ndefault = read\n"
                             "[rules top]\nwrite = /web\nnone = secret\nview = /web/contracts\n"
                             "[ceiling top]\nread = /web/api\n"
                             "[scope web]\nsource = /srv/shop/web\nparent = top\n"
                             "[rules web]\nwrite = /\nread = /docs\n"
                             "[scope api]\nparent = web\nsource = /srv/shop/web/api/v1\n"
                             "default = write\n"
                             "[scope same]\nparent = top\nsource = /srv/shop\ndefault = write\n";

static void check_parents(void)
{
    static const char *const rows[][2] = {
        {"", "write"},          {"x", "write"},          {"docs/x", "read"},
        {"contracts", "view"},  {"contracts/x", "view"}, {"secret", "none"},
        {"x/secret/y", "none"}, {"api/x", "read"},       {NULL, NULL},
    };
    static const char *const api_rows[][2] = {
        {"", "read"}, {"x", "read"}, {"secret", "none"}, {"docs", "read"}, {NULL, NULL}};
    struct config *config = must_load(nested);
    check_levels(config, "web", "no more than the parent gives", rows);
    check_levels(config, "api", "nor than the parent's parent", api_rows);
    is_string(level_of(config, "same", "web"), "write", "a parent of the same source");
    is_string(level_of(config, "same", "x"), "read", "lowers too");
    ok(config->scopes[1]->parent == config->scopes[0] && !config->scopes[0]->parent,
       "a scope knows its parent");
    is_string(state_verdict(state_of(config, "web", "contracts")).parent, "top",
              "the verdict names the parent that lowered");
    is_string(state_verdict(state_of(config, "api", "x")).parent, "top",
              "also over a scope between that did not");
    ok(!state_verdict(state_of(config, "web", "docs")).parent, "and none where none did");
    ok(state_may_hide(state_of(config, "web", "x")), "what a parent may hide may be hidden");
    is_int(state_reach(state_of(config, "web", "api")), LEVEL_READ, "a parent lowers the reach");
    config_free(config);

    config = must_load("[scope child]\nsource = /s/a\nparent = top\ndefault = write\n"
                       "[scope top]\nsource = /s\n[rules top]\nread = /a/b/c\n");
    is_string(level_of(config, "child", "b/c"), "read", "a parent may stand behind its child");
    ok(state_is_way_through(state_of(config, "child", "b")), "a way through to what it shows");
    ok(!state_is_way_through(state_of(config, "child", "c")), "and none to what it does not");
    config_free(config);
}

static void check_parent_case(void)
{
    struct config *config = must_load("[scope top]\nsource = /s\ndefault = write\ncase = ignore\n"
                                      "[rules top]\nnone = Secret\n"
                                      "[scope child]\nsource = /s/a\nparent = top\n"
                                      "default = write\n");
    is_string(level_of(config, "child", "SECRET"), "none",
              "a parent's case rule holds for a child");
    is_string(level_of(config, "child", "\xc3\xa4"), "none", "and what it hides for safety");
    config_free(config);
}

/* --- what a directory may be renamed between --- */

static bool equivalent(const struct config *config, const char *one, const char *other)
{
    return state_equivalent(state_of(config, "s", one), state_of(config, "s", other));
}

struct equivalence {
    const char *rules, *one, *other, *about;
    bool expected;
};

static const struct equivalence equivalences[] = {
    {"[rules s]\nwrite = /\nnone = .env*\n", "a", "b/c", "rules without a slash fit everywhere",
     true},
    {"[rules s]\nwrite = /\nnone = .env*\n", "a", ".envs", "but not to what they hide", false},
    {"[rules s]\nwrite = /\nnone = /src/private\n", "src", "lib", "a rule waits below src", false},
    {"[rules s]\nwrite = /\nnone = /src/private\n", "lib", "src/x", "none waits below these", true},
    {"[rules s]\nwrite = /\nwrite = /a\nwrite = b\n", "a", "x/b", "which rule gave it is no matter",
     true},
    {"[rules s]\nwrite = /\nwrite = /a/b\n", "a", "c",
     "a rule that changes no level does not matter", true},
    {"[rules s]\nwrite = /\nread = /a/b\nwrite = /a\n", "a", "c",
     "a rule that can no longer win does not matter", true},
    {"[rules s]\nwrite = /\nread = /a/b\n", "a", "c", "one that still can does", false},
    {"[rules s]\nwrite = /\nread = /a/**/b\n", "a/x", "a/y/z", "the same wait at any depth", true},
    {"[rules s]\nwrite = /\n[ceiling s]\nread = /a/b\n", "a", "c", "a ceiling waits below a",
     false},
    {"[rules s]\nread = /\n[ceiling s]\nread = /a/b\n", "a", "c",
     "a ceiling that lowers nothing does not matter", true},
    {"[rules s]\nwrite = /\n[ceiling s]\nread = /a\nread = /c\nwrite = /d\n", "a", "c",
     "the same ceiling by two rules", true},
    {"[rules s]\nwrite = /\nread = /a\n[ceiling s]\nread = /c\n", "a", "c",
     "a rule and a ceiling to the same end", true},
    {"[rules s]\nwrite = /x/a\n[ceiling s]\nnone = /y\n", "y", "z",
     "hidden all through is the same", true},
    {"[rules s]\nwrite = /\nnone = /a/b/c\nnone = /d/b/c\n", "a", "d",
     "the same words in two rules are not seen as such", false},
};

static void check_equivalence(void)
{
    for (size_t i = 0; i < sizeof(equivalences) / sizeof(equivalences[0]); i++) {
        const struct equivalence *row = &equivalences[i];
        cleanup_free char *text = xasprintf(SCOPE "%s", row->rules);
        struct config *config = must_load(text);
        is_int(equivalent(config, row->one, row->other), row->expected, "%s: %s and %s", row->about,
               row->one, row->other);
        config_free(config);
    }
    struct config *config = must_load("[scope top]\nsource = /t\ndefault = write\n[rules top]\n"
                                      "none = /s/a/x\n[scope s]\nsource = /t/s\nparent = top\n"
                                      "default = write\n");
    ok(!equivalent(config, "a", "b"), "a parent's rule waits below a");
    ok(equivalent(config, "b", "c/d"), "and none below these");
    config_free(config);
}

static void check_interning(void)
{
    struct config *config =
        must_load(SCOPE "default = write\n[rules s]\nnone = *.o\nread = /a/b\n");
    ok(state_of(config, "s", "x") == state_of(config, "s", "y/z"),
       "like directories are one state");
    ok(state_of(config, "s", "x") == state_of(config, "s", "a/q"), "also behind others");
    ok(state_of(config, "s", "a") != state_of(config, "s", "x"), "unlike ones are not");
    config_free(config);
}

int main(void)
{
    check_names();
    check_order();
    check_default();
    check_ceilings();
    check_way_through();
    check_reach();
    check_may_hide();
    check_parents();
    check_parent_case();
    check_equivalence();
    check_interning();
    return done_testing();
}
