/*
 * Passes on those of many paths that an agent may read, for instance to build an index for it that
 * holds nothing else. Paths end with a NUL byte, as git and find write them:
 *
 *     git ls-files -z | ./readable scopefs.ini agent
 */
#include <scopefs.h>

#include <stdio.h>
#include <stdlib.h>

static int may_read(const struct scopefs_scope *scope, const char *path, size_t length)
{
    struct scopefs_decision decision;
    return scopefs_decide(scope, path, length, 0, &decision) == 0 && decision.level >= SCOPEFS_READ;
}

static void pass_on(const struct scopefs_scope *scope)
{
    char *path = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getdelim(&path, &room, '\0', stdin)) > 0) {
        if (path[length - 1] == '\0')
            length--;
        if (may_read(scope, path, (size_t)length)) {
            fwrite(path, 1, (size_t)length, stdout);
            putchar('\0');
        }
    }
    free(path);
}

int main(int argc, char **argv)
{
    struct scopefs_config *config = argc == 3 ? scopefs_load(argv[1], NULL) : NULL;
    const struct scopefs_scope *scope = config ? scopefs_find(config, argv[2], NULL) : NULL;
    if (!scope) {
        fprintf(stderr,
                "usage: readable FILE SCOPE <PATHS, where 'scopefs check FILE' is content\n");
        return 2;
    }
    pass_on(scope);
    scopefs_free(config);
    return fflush(stdout) == EOF;
}
