#include "dry_run.h"

#include "bwrap_arguments.h"
#include "cgroup.h"
#include "process.h"
#include "sandbox.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"
#include "scopefs/strbuf.h"

#include <string.h>

/* A shell's own descriptors end below. */
#define FIRST_DESCRIPTOR 10

/* Gathers the redirections that give bwrap what it reads. */
struct redirections {
    struct strbuf text;
    int next;
    bool with_tracing; /* the filter is not the usual one, but that of a scope */
    const char *config_file, *scope_name;
};

void dry_run_add_quoted(struct strbuf *line, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:=,@%+";
    if (*word && strspn(word, plain) == strlen(word)) {
        strbuf_add_text(line, word);
        return;
    }
    strbuf_add_text(line, "'");
    for (const char *at = word; *at; at++) {
        if (*at == '\'')
            strbuf_add_text(line, "'\\''");
        else
            strbuf_add(line, at, 1);
    }
    strbuf_add_text(line, "'");
}

static int redirect(void *context, const struct given *given, struct error **error)
{
    (void)error;
    struct redirections *redirections = context;
    int fd = redirections->next++;
    strbuf_add_format(&redirections->text, " \\\n  %d", fd);
    if (given->path) {
        strbuf_add_text(&redirections->text, "<");
        dry_run_add_quoted(&redirections->text, given->path);
        return fd;
    }
    if (memchr(given->bytes, '\0', given->size)) {
        /* Of what a plan holds, only the filter is not text. */
        cleanup_free char *program = runtime_program("scopefs-exec");
        strbuf_add_text(&redirections->text, "< <(");
        dry_run_add_quoted(&redirections->text, program);
        strbuf_add_text(&redirections->text, " --print-seccomp");
        if (redirections->with_tracing) {
            strbuf_add_text(&redirections->text, " -c ");
            dry_run_add_quoted(&redirections->text, redirections->config_file);
            strbuf_add_format(&redirections->text, " %s", redirections->scope_name);
        }
        strbuf_add_text(&redirections->text, ")");
        return fd;
    }
    /* A here-string ends with a newline of its own. */
    bool has_newline = given->size && given->bytes[given->size - 1] == '\n';
    cleanup_free char *text = xmemdup0(given->bytes, given->size - has_newline);
    strbuf_add_text(&redirections->text, "<<<");
    dry_run_add_quoted(&redirections->text, text);
    return fd;
}

static void add_lines(struct strbuf *line, const struct strbuf *arguments)
{
    const char *end = arguments->bytes + arguments->length;
    for (const char *word = arguments->bytes; word < end; word += strlen(word) + 1) {
        strbuf_add_text(line, strncmp(word, "--", 2) == 0 ? " \\\n  " : " ");
        dry_run_add_quoted(line, word);
    }
}

static void add_words(struct strbuf *line, const struct strbuf *arguments)
{
    const char *end = arguments->bytes + arguments->length;
    for (const char *word = arguments->bytes; word < end; word += strlen(word) + 1) {
        strbuf_add_text(line, " ");
        dry_run_add_quoted(line, word);
    }
}

static void add_comment(struct strbuf *text, const struct scope *scope, const char *config_file,
                        const struct view_mount *view, const struct identity *identity)
{
    strbuf_add_format(text, "# A command of scope %s, for bash.", scope->name);
    if (!view->is_mounted) {
        strbuf_add_text(text, " Mount the view first:\n# scopefs mount");
        if (identity->differs)
            strbuf_add_format(text, " --for-user %u:%u", identity->uid, identity->gid);
        strbuf_add_text(text, " -c ");
        dry_run_add_quoted(text, config_file);
        strbuf_add_format(text, " %s", scope->name);
    }
    strbuf_add_text(text, "\n");
    if (scope->exec.network == NETWORK_ALLOW)
        strbuf_add_text(text,
                        "# network-allow is held by scopefs-network beside it; without, it has "
                        "no network.\n");
    if (cgroup_needed(&scope->exec.limits))
        strbuf_add_text(text, "# memory, pids and cpu are held by a control group around it.\n");
}

int dry_run_print(FILE *stream, const struct sandbox_plan *plan, const struct scope *scope,
                  const char *config_file, const struct view_mount *view,
                  const struct identity *identity, struct error **error)
{
    cleanup_strbuf struct strbuf text = {0}, arguments = {0}, command = {0};
    struct redirections redirections = {.next = FIRST_DESCRIPTOR,
                                        .with_tracing = plan->allow_tracing,
                                        .config_file = config_file,
                                        .scope_name = scope->name};
    if (bwrap_arguments_add_plan(&arguments, plan, redirect, &redirections, error) < 0) {
        strbuf_free(&redirections.text);
        return -1;
    }
    const struct stage2_descriptors inherited = {
        .stage2 = redirections.next, .channel = -1, .network = -1, .program = -1};
    cleanup_free char *bwrap = process_find_program("bwrap", scope->source);
    cleanup_free char *stage2_path = sandbox_stage2_path();
    bwrap_arguments_add_command(&command, plan, &inherited, view);

    add_comment(&text, scope, config_file, view, identity);
    if (identity->differs)
        strbuf_add_format(&text, "setpriv --reuid=%u --regid=%u --clear-groups \\\n", identity->uid,
                          identity->gid);
    dry_run_add_quoted(&text, bwrap ? bwrap : "bwrap");
    add_lines(&text, &arguments);
    strbuf_add_text(&text, " \\\n  --");
    add_words(&text, &command);
    strbuf_add_text(&text, redirections.text.bytes);
    strbuf_add_format(&text, " \\\n  %d<", inherited.stage2);
    dry_run_add_quoted(&text, stage2_path);
    strbuf_add_text(&text, "\n");
    strbuf_free(&redirections.text);
    fwrite(text.bytes, 1, text.length, stream);
    return fflush(stream) == 0 ? 0 : error_set(error, 0, "cannot write the command line");
}
