#include "paths.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <stdbool.h>

static void drop_last_name(struct strbuf *path)
{
    while (path->length > 0 && path->bytes[path->length - 1] != '/')
        path->length--;
    if (path->length > 0)
        path->length--;
    path->bytes[path->length] = '\0';
}

/* Adds the names of `text` to `path`, which is "" for the root. A ".." behind a name is refused,
 * for that name may be a symlink. */
static bool add_names(struct strbuf *path, const char *text, bool may_climb, const char **message)
{
    for (;;) {
        text += strspn(text, "/");
        size_t length = strcspn(text, "/");
        if (length == 0)
            return true;
        if (length == 2 && memcmp(text, "..", 2) == 0) {
            if (!may_climb) {
                *message = "'..' behind a name; write the path without it";
                return false;
            }
            drop_last_name(path);
        } else if (!(length == 1 && *text == '.')) {
            strbuf_add_text(path, "/");
            strbuf_add(path, text, length);
            may_climb = false;
        }
        text += length;
    }
}

static const char *home_directory(void)
{
    const char *home = secure_getenv("HOME");
    return home && home[0] == '/' ? home : NULL;
}

char *path_resolve(struct arena *arena, const char *base, const char *text, const char **message)
{
    bool relative = text[0] != '/';
    if (text[0] == '~' && (text[1] == '/' || text[1] == '\0')) {
        base = home_directory();
        text++;
        relative = false;
        if (!base) {
            *message = "'~' needs HOME to be set to an absolute path; write the path out";
            return NULL;
        }
    } else if (!relative) {
        base = "";
    }
    cleanup_strbuf struct strbuf path = {0};
    strbuf_add_text(&path, "");
    if (!add_names(&path, base, false, message) || !add_names(&path, text, relative, message))
        return NULL;
    return arena_strdup(arena, path.length ? path.bytes : "/");
}

const char *path_below(const char *path, const char *above)
{
    size_t length = strlen(above);
    if (length == 1)
        return path + 1;
    if (strncmp(path, above, length) != 0)
        return NULL;
    if (path[length] == '\0')
        return path + length;
    return path[length] == '/' ? path + length + 1 : NULL;
}

char *path_directory_of(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/');
    cleanup_free char *directory = NULL;
    if (!slash)
        directory = xstrdup(".");
    else
        directory = xmemdup0(file, slash == file ? 1 : (size_t)(slash - file));
    cleanup_free char *resolved = realpath(directory, NULL);
    return resolved ? arena_strdup(arena, resolved) : NULL;
}

char *path_user_config(struct arena *arena)
{
    const char *config = secure_getenv("XDG_CONFIG_HOME");
    if (config && config[0] == '/')
        return arena_format(arena, "%s/scopefs", config);
    const char *home = home_directory();
    return home ? arena_format(arena, "%s/.config/scopefs", home) : NULL;
}
