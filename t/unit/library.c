/* libscopefs as other people's programs see it, here with threads and the sanitizers that watch. */
#include "../tap.h"
#include "sandbox.h"

#include "scopefs.h"

#include "scopefs/mem.h"

#include <errno.h>
#include <pthread.h>

#define THREADS 8

static const char text[] = "[scope top]\n"                /* 1 */
                           "source = /s\n"                /* 2 */
                           "default = write\n"            /* 3 */
                           "[rules top]\n"                /* 4 */
                           "view = /t/plans\n"            /* 5 */
                           "[scope below]\n"              /* 6 */
                           "source = /s/t\n"              /* 7 */
                           "parent = top\n"               /* 8 */
                           "[rules below]\n"              /* 9 */
                           "read = /\n"                   /* 10 */
                           "none = /lib\n"                /* 11 */
                           "write = /lib/vendor/a?c\n"    /* 12 */
                           "[ceiling below]\n"            /* 13 */
                           "none = .env\n"                /* 14 */
                           "[scope agent-*]\n"            /* 15 */
                           "source = /home/%n\n"          /* 16 */
                           "[rules agent-*]\n"            /* 17 */
                           "write = /%n\n"                /* 18 */
                           "[scope folded]\n"             /* 19 */
                           "source = /f\ncase = ignore\n" /* 20 */
                           "default = read\n";

static const struct {
    const char *path;
    int is_directory, level, wanted, reason, visible;
    unsigned line;
    const char *about;
} rows[] = {
    {"a", 0, SCOPEFS_READ, SCOPEFS_READ, SCOPEFS_BY_RULE, 1, 10, "by a rule"},
    {"lib", 0, SCOPEFS_NONE, SCOPEFS_NONE, SCOPEFS_BY_RULE, 0, 11, "a hidden file"},
    {"lib", 1, SCOPEFS_NONE, SCOPEFS_NONE, SCOPEFS_BY_WAY_THROUGH, 1, 11, "a way through"},
    {"/lib//vendor/abc", 0, SCOPEFS_WRITE, SCOPEFS_WRITE, SCOPEFS_BY_RULE, 1, 12, "behind it"},
    {"x/.env/y", 1, SCOPEFS_NONE, SCOPEFS_READ, SCOPEFS_BY_CEILING, 0, 14, "by a ceiling"},
    {"plans/q", 0, SCOPEFS_VIEW, SCOPEFS_READ, SCOPEFS_BY_PARENT, 1, 10, "by the parent"},
};

static struct scopefs_config *load(struct scopefs_findings **findings)
{
    cleanup_free char *file = xasprintf("%s/library.ini", sandbox());
    return scopefs_load(file, findings);
}

static void check_decisions(struct scopefs_config *config)
{
    const struct scopefs_scope *scope = scopefs_find(config, "below", NULL);
    is_string(scopefs_source(scope), "/s/t", "a scope knows its source");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scopefs_decision got;
        ok(scopefs_decide(scope, rows[i].path, strlen(rows[i].path), rows[i].is_directory, &got) ==
                   0 &&
               got.level == rows[i].level && got.wanted == rows[i].wanted &&
               got.reason == rows[i].reason && got.visible == rows[i].visible &&
               got.line == rows[i].line && strstr(got.file, "/library.ini"),
           "%s", rows[i].about);
        ok((got.parent != NULL) == (got.reason == SCOPEFS_BY_PARENT) &&
               (!got.parent || strcmp(got.parent, "top") == 0),
           "the parent is named when it decides: %s", rows[i].about);
    }
    struct scopefs_decision decision = {.level = 77};
    ok(scopefs_decide(scope, "a/../b", 6, 0, &decision) < 0 && errno == EINVAL &&
           scopefs_decide(scope, "a\0b", 3, 0, &decision) < 0 && errno == EINVAL &&
           decision.level == 77,
       "'..' and NUL have no meaning, and nothing is written");
    ok(scopefs_decide(scope, ".envy", 4, 0, &decision) == 0 && decision.level == SCOPEFS_NONE,
       "a path has the length that is given");
}

static void check_without_rule(struct scopefs_config *config)
{
    const struct scopefs_scope *scope = scopefs_find(config, "folded", NULL);
    struct scopefs_decision decision;
    scopefs_decide(scope, "a", 1, 0, &decision);
    ok(decision.level == SCOPEFS_READ && decision.reason == SCOPEFS_BY_DEFAULT && !decision.file &&
           !decision.pattern && decision.line == 0,
       "by default");
    scopefs_decide(scope, "\xc3\xa9", 2, 1, &decision);
    ok(decision.level == SCOPEFS_NONE && decision.reason == SCOPEFS_BY_FAILURE && !decision.visible,
       "what cannot be decided is hidden");
}

static void check_names(struct scopefs_config *config)
{
    struct scopefs_findings *findings;
    struct scopefs_finding finding;
    is_string(scopefs_scope_name(config, 2), "folded", "scopes have numbers, templates have none");
    ok(!scopefs_scope_name(config, 3), "and an end");
    ok(!scopefs_find(config, "nobody", &findings) &&
           scopefs_findings_get(findings, 0, &finding) == 0 && finding.is_error &&
           strstr(finding.message, "there are: top, below, agent-*, folded"),
       "a scope that is not there is told with those that are");
    scopefs_findings_free(findings);
    is_string(scopefs_level_name(SCOPEFS_VIEW), "view", "levels have names");
    ok(!scopefs_level_name(4) && !scopefs_level_name(-1), "others have none");
    ok(strchr(scopefs_version(), '.') != NULL, "and the library a version");
}

/* All want the same instances of a template, which are made when they are first asked for. */
static const struct scopefs_scope *found[THREADS][2];
static unsigned wrong[THREADS];
static struct scopefs_config *shared;

static void *look(void *argument)
{
    size_t number = (size_t)(uintptr_t)argument;
    found[number][number % 2] = scopefs_find(shared, number % 2 ? "agent-b" : "agent-a", NULL);
    found[number][(number + 1) % 2] =
        scopefs_find(shared, number % 2 ? "agent-a" : "agent-b", NULL);
    for (unsigned i = 0; i < 1000; i++) {
        struct scopefs_decision decision;
        cleanup_free char *path = xasprintf("agent-a/%u/%u", i % 7, i % 11);
        for (int scope = 0; scope < 2; scope++)
            if (scopefs_decide(found[number][scope], path, strlen(path), 0, &decision) < 0 ||
                decision.level != (scope == 0 ? SCOPEFS_WRITE : SCOPEFS_NONE))
                wrong[number]++;
    }
    return NULL;
}

static void check_threads(struct scopefs_config *config)
{
    pthread_t threads[THREADS];
    unsigned same = 0, errors = 0;
    shared = config;
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, look, (void *)(uintptr_t)i);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        same += found[i][0] == found[0][0] && found[i][1] == found[0][1];
        errors += wrong[i];
    }
    is_int(same, THREADS, "threads that ask for a template's scope at once get the same one");
    is_int(errors, 0, "and all get the right answers from it");
}

static void check_errors(void)
{
    static const char bad[] = "[scope a]\nsuorce = /s\n[rules a]\nread = [a\n";
    struct scopefs_findings *findings;
    struct scopefs_finding finding;
    sandbox_write("library.ini", bad, strlen(bad));
    ok(!load(&findings), "a file with an error is not loaded");
    ok(scopefs_findings_count(findings) == 3, "all errors are told");
    ok(scopefs_findings_get(findings, 2, &finding) == 0 && finding.is_error && finding.line == 4 &&
           finding.column == 8 && strstr(finding.message, "close it with ']'"),
       "with place and mend");
    ok(scopefs_findings_get(findings, 3, &finding) < 0 && errno == ERANGE, "and no more");
    scopefs_findings_free(findings);
    ok(!scopefs_load("/nowhere/scopefs.ini", &findings) && scopefs_findings_count(findings) == 1,
       "nor one that is not there");
    scopefs_findings_free(findings);
    ok(!load(NULL), "nobody needs to look at the findings");
    scopefs_free(NULL);
    scopefs_findings_free(NULL);
}

int main(void)
{
    struct scopefs_findings *findings;
    sandbox_write("library.ini", text, strlen(text));
    struct scopefs_config *config = load(&findings);
    ok(config && !findings, "a file without an error has no findings");
    check_names(config);
    check_decisions(config);
    check_without_rule(config);
    check_threads(config);
    scopefs_free(config);
    check_errors();
    return done_testing();
}
