#include "lint.h"

#include "launch.h"

#include "scopefs/mem.h"

#include <stdlib.h>
#include <string.h>

/* The file itself shows when two are the same; symlinks and default places do not. */
static void check_places(const struct config *config, struct diagnostics *diagnostics)
{
    char **places = xcalloc(config->scope_count + 1, sizeof(char *));
    for (size_t i = 0; i < config->scope_count; i++) {
        const struct scope *scope = config->scopes[i];
        size_t other = 0;
        places[i] = launch_clean_place(scope);
        while (strcmp(places[other], places[i]) != 0)
            other++;
        if (other < i)
            diagnostics_add(diagnostics, SEVERITY_ERROR, scope->place.file, scope->place.line,
                            scope->place.column,
                            "the scope '%s' would be mounted on %s, too; give each its own place",
                            config->scopes[other]->name, places[i]);
    }
    for (size_t i = 0; i < config->scope_count; i++)
        free(places[i]);
    free(places);
}

void lint_config(const struct config *config, struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < config->scope_count; i++) {
        lint_rules(config, config->scopes[i], diagnostics);
        lint_source(config, config->scopes[i], diagnostics);
    }
    check_places(config, diagnostics);
    diagnostics_sort(diagnostics);
}
