#include "arena.h"
#include "paths.h"

#include "scopefs/config.h"
#include "scopefs/diagnostics.h"
#include "scopefs/mem.h"
#include "scopefs/policy.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "scopefs.ini"
#define HERE "./" NAME

/* The scope whose agent may write the file, or NULL. */
static const struct scope *writing_scope(const struct config *config, const char *file)
{
    for (size_t i = 0; i < config->scope_count; i++) {
        cleanup_free char *source = realpath(config->scopes[i]->source, NULL);
        const char *below = source ? path_below(file, source) : NULL;
        const struct state *state =
            below ? policy_find(config->scopes[i]->policy, below, strlen(below)) : NULL;
        if (state && state_verdict(state).level == LEVEL_WRITE)
            return config->scopes[i];
    }
    return NULL;
}

/* That of the folder, whatever the name leads to: an agent may have made it a symlink. */
static char *path_here(void)
{
    cleanup_free char *folder = realpath(".", NULL);
    return folder ? xasprintf("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, NAME) : NULL;
}

static int check_writers(const char *other_file, struct error **error)
{
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    cleanup_free char *here = path_here();
    struct config *other = here ? config_load(other_file, &diagnostics) : NULL;
    const struct scope *writer = other ? writing_scope(other, here) : NULL;
    if (writer)
        error_set(error, 0,
                  HERE " lies in the source of scope %s of %s, whose agent can write it; if it is "
                       "meant all the same, name it: -c " HERE,
                  writer->name, other_file);
    config_free(other);
    return writer ? -1 : 0;
}

/* What is found where one happens to be must not be another user's word, nor an agent's. */
static int check_here(const char *const *others, struct error **error)
{
    struct stat found;
    if (stat(HERE, &found) < 0)
        return 0;
    if ((found.st_uid != geteuid() && found.st_uid != 0) || (found.st_mode & S_IWOTH))
        return error_set(error, 0, HERE " %s; if it is meant all the same, name it: -c " HERE,
                         found.st_mode & S_IWOTH ? "can be written by everybody"
                                                 : "belongs to another user");
    for (; *others; others++)
        if (access(*others, F_OK) == 0 && check_writers(*others, error) < 0)
            return -1;
    return 0;
}

char *config_find(struct error **error)
{
    cleanup_arena struct arena arena = {0};
    const char *system = "/etc/scopefs/" NAME;
    const char *folder = path_user_config(&arena);
    const char *user = folder ? arena_format(&arena, "%s/" NAME, folder) : NULL;
    const char *const elsewhere[] = {user ? user : system, user ? system : NULL, NULL};
    if (access(HERE, F_OK) == 0)
        return check_here(elsewhere, error) < 0 ? NULL : xstrdup(HERE);
    for (size_t i = 0; elsewhere[i]; i++)
        if (access(elsewhere[i], F_OK) == 0)
            return xstrdup(elsewhere[i]);
    error_set(error, 0, "no configuration found; write " HERE " or %s, or name one with -c FILE",
              elsewhere[0]);
    return NULL;
}
