#include "session_text.h"

#include "scopefs/env_name.h"
#include "scopefs/mem.h"

#include <string.h>

static void add_quoted(struct strbuf *text, const char *word)
{
    strbuf_add_text(text, "'");
    for (const char *at = word; *at; at++) {
        if (*at == '\'')
            strbuf_add_text(text, "'\\''");
        else
            strbuf_add(text, at, 1);
    }
    strbuf_add_text(text, "'");
}

static int add_variable(struct strbuf *text, const struct exec_settings *settings,
                        const char *assignment, struct error **error)
{
    size_t length;
    if (sandbox_plan_check_variable(settings, assignment, &length, error) < 0)
        return -1;
    if (!env_name_is_valid(assignment, length))
        return error_set(error, 0, "--env %s: a shell has no variable of that name", assignment);
    strbuf_add_text(text, "\\export ");
    strbuf_add(text, assignment, length + 1);
    add_quoted(text, assignment + length + 1);
    strbuf_add_text(text, "; ");
    return 0;
}

static int add_workdir(struct strbuf *text, const struct sandbox_request *request,
                       struct error **error)
{
    const char *workspace = request->scope->exec.workspace;
    if (!request->workdir)
        return 0;
    cleanup_free char *workdir =
        sandbox_plan_workdir(workspace ? workspace : SANDBOX_WORKSPACE, request->workdir, error);
    if (!workdir)
        return -1;
    strbuf_add_text(text, "\\command cd -- ");
    add_quoted(text, workdir);
    strbuf_add_text(text, " || \\return 125; ");
    return 0;
}

/* The first word in quotes, too: a command is meant, no keyword and no alias. */
static void add_words(struct strbuf *text, char *const *words)
{
    for (; *words; words++) {
        add_quoted(text, *words);
        strbuf_add_text(text, words[1] ? " " : "\n");
    }
}

int session_text_add(struct strbuf *text, const struct sandbox_request *request, const char *line,
                     struct error **error)
{
    /* All on the first line of the caller's own text, so that its lines have their numbers. */
    for (const char *const *entry = request->environment; entry && *entry; entry++)
        if (add_variable(text, &request->scope->exec, *entry, error) < 0)
            return -1;
    if (add_workdir(text, request, error) < 0)
        return -1;
    strbuf_add_text(text, "case $" SESSION_FLAGS " in (*x*) \\set -x;; esac; ");
    if (line) {
        strbuf_add_text(text, line);
        strbuf_add_text(text, "\n");
    } else {
        add_words(text, request->command);
    }
    return 0;
}
