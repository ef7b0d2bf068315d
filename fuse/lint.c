#include "lint.h"

void lint_config(const struct config *config, struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < config->scope_count; i++) {
        lint_rules(config, config->scopes[i], diagnostics);
        lint_source(config, config->scopes[i], diagnostics);
    }
    diagnostics_sort(diagnostics);
}
