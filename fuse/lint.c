#include "lint.h"

#include "scopefs/mem.h"

#include <limits.h>

/* Whoever can write the file that holds the rules makes the rules. */
static void check_own_place(const struct config *config, const struct scope *scope,
                            struct diagnostics *diagnostics)
{
    cleanup_free char *file = realpath(config->file, NULL);
    cleanup_free char *source = realpath(scope->source, NULL);
    size_t length = source ? strlen(source) : 0;
    if (!file || !source || strncmp(file, source, length) != 0 || file[length] != '/')
        return;
    const char *path = file + length + 1;
    const struct state *state = policy_find(scope->policy, path, strlen(path));
    if (state && state_level(state) == LEVEL_WRITE)
        diagnostics_add(diagnostics, SEVERITY_WARNING, scope->place.file, scope->place.line,
                        scope->place.column,
                        "this file lies in the source of scope %s and can be written in its view; "
                        "move it out, or add the ceiling: read = /%s",
                        scope->name, path);
}

void lint_config(const struct config *config, struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < config->scope_count; i++) {
        check_own_place(config, config->scopes[i], diagnostics);
        lint_rules(config, config->scopes[i], diagnostics);
        lint_source(config, config->scopes[i], diagnostics);
    }
    diagnostics_sort(diagnostics);
}
