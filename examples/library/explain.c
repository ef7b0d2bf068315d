/*
 * What an agent may do with paths, and why:
 *
 *     cc -o explain explain.c $(pkg-config --cflags --libs libscopefs)
 *     ./explain scopefs.ini agent src/main.c .env
 */
#include <scopefs.h>

#include <stdio.h>
#include <string.h>

static void print_findings(const struct scopefs_findings *findings)
{
    struct scopefs_finding finding;
    for (size_t i = 0; scopefs_findings_get(findings, i, &finding) == 0; i++)
        fprintf(stderr, "%s:%u:%u: %s: %s\n", finding.file, finding.line, finding.column,
                finding.is_error ? "error" : "warning", finding.message);
}

static int explain(const struct scopefs_scope *scope, const char *path)
{
    struct scopefs_decision decision;
    if (scopefs_decide(scope, path, strlen(path), 0, &decision) < 0) {
        fprintf(stderr, "%s: write the path from the scope's root, without '..'\n", path);
        return 1;
    }
    printf("%s: %s", path, scopefs_level_name(decision.level));
    if (decision.file)
        printf(", %s:%u: %s", decision.file, decision.line, decision.pattern);
    if (decision.parent)
        printf(", no more than %s gives it", decision.parent);
    putchar('\n');
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: explain FILE SCOPE PATH...\n");
        return 2;
    }
    int status = 1;
    struct scopefs_findings *findings;
    struct scopefs_config *config = scopefs_load(argv[1], &findings);
    print_findings(findings);
    scopefs_findings_free(findings);
    const struct scopefs_scope *scope = NULL;
    if (config) {
        scope = scopefs_find(config, argv[2], &findings);
        print_findings(findings);
        scopefs_findings_free(findings);
    }
    if (scope) {
        status = 0;
        for (char **path = argv + 3; *path; path++)
            status |= explain(scope, *path);
    }
    scopefs_free(config);
    return status;
}
