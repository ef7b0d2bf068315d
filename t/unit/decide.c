/*
 * Prints the level of each path, for tests that compare the engine with something else: reads
 * NUL-terminated paths from standard input and writes LEVEL NUL for each. `decide FILE SCOPE`.
 */
#include "scopefs/config.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: decide FILE SCOPE <paths >levels\n");
        return 2;
    }
    struct config *config = config_load(argv[1], &diagnostics);
    diagnostics_print(&diagnostics, stderr);
    if (!config)
        return 1;
    const struct scope *scope = config_scope(config, argv[2], NULL);
    if (!scope)
        return 1;

    char *path = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getdelim(&path, &room, '\0', stdin)) > 0) {
        const struct state *state = policy_find(scope->policy, path, strlen(path));
        fputs(state ? level_name(state_level(state)) : "invalid", stdout);
        fputc('\0', stdout);
    }
    free(path);
    config_free(config);
    return fflush(stdout) == 0 ? 0 : 1;
}
