#include "selection.h"

#include "scopefs/mem.h"

static bool add_scope(struct selection *selection, const struct command *command, const char *name)
{
    cleanup_error struct error *error = NULL;
    const struct scope *scope = config_scope(selection->config, name, &error);
    if (!scope) {
        command_fail(command, error);
        return false;
    }
    for (size_t i = 0; i < selection->count; i++)
        if (selection->scopes[i] == scope)
            return true;
    selection->scopes[selection->count++] = scope;
    return true;
}

bool selection_load(struct selection *selection, const struct command *command, const char *file,
                    char *const *names, size_t count)
{
    *selection = (struct selection){.config_file = command_config_path(command, file)};
    if (!selection->config_file)
        return false;
    selection->config = command_load(command, selection->config_file);
    const struct config *config = selection->config;
    if (!config)
        return false;
    size_t room = count > config->scope_count ? count : config->scope_count;
    selection->scopes = xcalloc(room + 1, sizeof(const struct scope *));
    bool known = true;
    for (size_t i = 0; i < count; i++)
        known = add_scope(selection, command, names[i]) && known;
    for (size_t i = 0; count == 0 && i < config->scope_count; i++)
        selection->scopes[selection->count++] = config->scopes[i];
    return known;
}

void selection_free(struct selection *selection)
{
    free(selection->scopes);
    free(selection->config_file);
    config_free(selection->config);
    *selection = (struct selection){0};
}
