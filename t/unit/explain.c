/* Explain tells what decides, and everything else that covers the path. */
#include "../tap.h"
#include "sandbox.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

static const char text[] = "[scope s]\n"             /* 1 */
                           "source = /s\n"           /* 2 */
                           "[rules s]\n"             /* 3 */
                           "read = /\n"              /* 4 */
                           "write = {/web,x}\n"      /* 5 */
                           "none = *.o\n"            /* 6 */
                           "write = /web/*/keep.o\n" /* 7 */
                           "[ceiling s]\n"           /* 8 */
                           "none = .env\n"           /* 9 */
                           "read = **/.env/**\n"     /* 10 */
                           "view = .git\n"           /* 11 */
                           "read = /web/a\n";        /* 12 */

/* "LEVEL (WANTED) LINE+COVERED ..." with '*' behind what decides. */
static char *explain(const struct policy *policy, const char *path)
{
    struct explanation explanation;
    struct strbuf said = {0};
    if (!policy_explain(policy, path, strlen(path), &explanation))
        return xstrdup("invalid");
    strbuf_add_format(&said, "%s (%s)", level_name(explanation.verdict.level),
                      level_name(explanation.verdict.wanted));
    for (size_t i = 0; i < explanation.count; i++) {
        const struct match *match = &explanation.matches[i];
        strbuf_add_format(&said, " %u+%zu%s", match->rule->line, match->covered,
                          match->decides ? "*" : "");
    }
    explanation_free(&explanation);
    return strbuf_steal(&said);
}

static const struct {
    const char *path, *expected, *about;
} rows[] = {
    {"", "read (read) 4+0*", "the root"},
    {"a", "read (read) 4+0*", "a rule on the root covers all"},
    {"web", "write (write) 4+0 5+3*", "losing rules are told too"},
    {"web/b/c", "write (write) 4+0 5+3*", "the shortest part of the path that is covered"},
    {"web/b/c.o", "none (none) 4+0 5+3 6+9*", "the last one decides"},
    {"web/b/keep.o", "write (write) 4+0 5+3 6+12 7+12*", "a later rule brings it back"},
    {"web/b/keep.o/x", "write (write) 4+0 5+3 6+12 7+12*", "with all below"},
    {"web/x", "write (write) 4+0 5+3*", "the shortest of two alternatives"},
    {"b/x/y", "write (write) 4+0 5+3*", "the other alternative"},
    {"web/.env", "none (write) 4+0 5+3* 9+8*", "a ceiling decides beside the rule"},
    {"web/.env/a.o", "none (none) 4+0 5+3 6+12* 9+8 10+12",
     "a ceiling that lowers nothing does not"},
    {"web/.env/b", "none (write) 4+0 5+3* 9+8* 10+10", "the lowest ceiling decides"},
    {".git/q", "view (read) 4+0* 11+4*", "a ceiling over a rule on the root"},
    {"web/a/x", "read (write) 4+0 5+3* 12+5*", "an anchored ceiling"},
    {"/web//b/./c.o/", "none (none) 4+0 5+4 6+13*", "lengths count in the path as given"},
    {"a/../b", "invalid", "'..' has no meaning"},
};

static void check_rows(void)
{
    struct config *config = must_load(text);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cleanup_free char *said = explain(config->scopes[0]->policy, rows[i].path);
        is_string(said, rows[i].expected, "%s: '%s'", rows[i].about, rows[i].path);
    }
    config_free(config);
}

static void check_default(void)
{
    struct config *config =
        must_load("[scope s]\nsource = /s\ndefault = view\n[rules s]\nread = x\n");
    cleanup_free char *said = explain(config->scopes[0]->policy, "a");
    is_string(said, "view (view)", "without a rule the default decides");
    struct verdict verdict = state_verdict(policy_root(config->scopes[0]->policy));
    ok(!verdict.rule && !verdict.ceiling && !verdict.parent, "and nothing is named");
    config_free(config);
}

static void check_dead(void)
{
    struct config *config =
        must_load("[scope s]\nsource = /s\ncase = ignore\n[rules s]\nread = /\n");
    cleanup_free char *said = explain(config->scopes[0]->policy, "\xc3\xa9/a");
    is_string(said, "none (none) 5+0", "a name that is hidden for safety has no deciding rule");
    config_free(config);
}

int main(void)
{
    check_rows();
    check_default();
    check_dead();
    return done_testing();
}
