#include "deciding_files.h"

#include "paths.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As the kernel has it. */
#define MAX_LINKS 40

/* A path as a pattern that matches nothing else. */
static const char *pattern_of(struct arena *arena, const char *path)
{
    cleanup_strbuf struct strbuf pattern = {0};
    strbuf_add_text(&pattern, "/");
    for (; *path; path++) {
        if (strchr("*?[]{}\\", *path))
            strbuf_add_text(&pattern, "\\");
        strbuf_add(&pattern, path, 1);
    }
    return arena_strdup(arena, pattern.bytes);
}

/* The ceiling is the scope's, in whose line it is told. */
static void protect_name(struct loader *loader, const char *config_file, const char *path)
{
    for (struct scope_draft *draft = loader->drafts; draft; draft = draft->next) {
        cleanup_free char *source =
            draft->scope.source ? realpath(draft->scope.source, NULL) : NULL;
        const char *below = source ? path_below(path, source) : NULL;
        if (!below || !*below)
            continue;
        const struct rule rule = {
            .level = LEVEL_READ,
            .pattern = pattern_of(loader->arena, below),
            .file = config_file,
            .line = draft->scope.place.line,
            .column = draft->scope.place.column,
            .is_ceiling = true,
        };
        loader_add_rule(loader, &draft->source, &rule, NULL);
    }
}

static char *link_target(const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target));
    return length > 0 && (size_t)length < sizeof(target) ? xmemdup0(target, (size_t)length) : NULL;
}

/* Takes the first name off, which is the caller's; NULL at the end. */
static char *take_name(const char **rest)
{
    *rest += strspn(*rest, "/");
    size_t length = strcspn(*rest, "/");
    const char *name = *rest;
    *rest += length;
    return length ? xmemdup0(name, length) : NULL;
}

static void replace(char **text, char *by)
{
    free(*text);
    *text = by;
}

/* Every link on the way to the file, what is missing of it, and the file itself. (Folders need no
 * ceiling of their own: no view renames one to where other rules hold for what is below.) */
static void protect_way(struct loader *loader, const char *config_file, const char *path)
{
    cleanup_free char *place = xstrdup("");
    cleanup_free char *way = xstrdup(path);
    const char *rest = way;
    unsigned links = 0;
    for (char *name; (name = take_name(&rest)); free(name)) {
        if (strcmp(name, ".") == 0)
            continue;
        char *slash = strrchr(place, '/');
        if (strcmp(name, "..") == 0) {
            if (slash)
                *slash = '\0';
            continue;
        }
        cleanup_free char *found = xasprintf("%s/%s", place, name);
        cleanup_free char *target = links < MAX_LINKS ? link_target(found) : NULL;
        bool is_missing = access(found, F_OK) < 0;
        if (target || is_missing || rest[strspn(rest, "/")] == '\0')
            protect_name(loader, config_file, found);
        if (target) {
            links++;
            char *longer = xasprintf("%s/%s", target, rest);
            if (target[0] == '/')
                replace(&place, xstrdup(""));
            replace(&way, longer);
            rest = way;
        } else if (is_missing) {
            free(name);
            return;
        } else {
            replace(&place, steal_pointer(found));
        }
    }
}

void deciding_files_protect(struct loader *loader, const char *config_file)
{
    cleanup_free char *resolved = realpath(config_file, NULL);
    if (resolved)
        protect_name(loader, config_file, resolved);
    for (const struct scope_draft *draft = loader->drafts; draft; draft = draft->next) {
        const struct exec_settings *settings = &draft->scope.exec;
        if (settings->approver)
            protect_way(loader, config_file, settings->approver);
        if (settings->rootfs)
            protect_way(loader, config_file, settings->rootfs);
        for (const struct env_draft *env = draft->env; env; env = env->next)
            if (!env->setting.name)
                protect_way(loader, config_file, env->setting.value);
        for (const struct bind_draft *bind = draft->binds; bind; bind = bind->next)
            protect_way(loader, config_file, bind->bind.source);
    }
}
