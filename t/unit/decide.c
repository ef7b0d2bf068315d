/*
 * Decides many paths in one process, for tests that compare the engine with something else. `decide
 * FILE` reads pairs of a scope's name and a path, each ended by a NUL, from standard input, and
 * writes the level, a blank and the line of the deciding rule (0: the default), ended by a NUL, for
 * each pair.
 */
#include "scopefs/config.h"

#include <stdlib.h>
#include <string.h>

static bool read_field(char **field, size_t *room)
{
    return getdelim(field, room, '\0', stdin) > 0;
}

static void decide(const struct config *config, const char *name, const char *path)
{
    const struct scope *scope = config_scope(config, name, NULL);
    const struct state *state = scope ? policy_find(scope->policy, path, strlen(path)) : NULL;
    if (state) {
        struct verdict verdict = state_verdict(state);
        printf("%s %u", level_name(verdict.level), verdict.rule ? verdict.rule->line : 0);
    } else {
        printf("invalid 0");
    }
    putchar('\0');
}

int main(int argc, char **argv)
{
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: decide FILE <scopes-and-paths >levels-and-lines\n");
        return 2;
    }
    struct config *config = config_load(argv[1], &diagnostics);
    diagnostics_print(&diagnostics, stderr);
    if (!config)
        return 1;
    char *name = NULL, *path = NULL;
    size_t name_room = 0, path_room = 0;
    while (read_field(&name, &name_room) && read_field(&path, &path_room))
        decide(config, name, path);
    free(name);
    free(path);
    config_free(config);
    return fflush(stdout) == 0 ? 0 : 1;
}
