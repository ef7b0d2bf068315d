#include "session_settings.h"

#include "scopefs/hash.h"
#include "scopefs/strbuf.h"

#include <string.h>

/* It recognises a change that nobody hides: the owner's own. */
static uint64_t digest_of(const struct strbuf *text)
{
    return hash_bytes(HASH_START, text->bytes, text->length);
}

/* A missing one differs from an empty one. */
static void add(struct strbuf *text, const char *value)
{
    strbuf_add_text(text, value ? "+" : "-");
    strbuf_add(text, value ? value : "", value ? strlen(value) + 1 : 1);
}

static void add_limits(struct strbuf *text, const struct exec_limits *limits)
{
    strbuf_add_format(text, "%llu %llu %llu %llu %llu %llu %d\n", limits->memory, limits->processes,
                      limits->cpu_percent, limits->file_size, limits->open_files, limits->tmp_size,
                      limits->strict);
}

uint64_t session_settings_digest(const struct scope *scope, const char *config_file)
{
    cleanup_strbuf struct strbuf text = {0};
    const struct exec_settings *exec = &scope->exec;
    add(&text, config_file);
    add(&text, scope->source);
    add(&text, scope->mount);
    add(&text, exec->rootfs);
    add(&text, exec->workspace);
    add(&text, scope->user);
    strbuf_add_format(&text, "%d %d\n", (int)exec->network, exec->ptrace);
    add_limits(&text, &exec->limits);
    for (size_t i = 0; i < exec->env_count; i++) {
        add(&text, exec->env[i].name);
        add(&text, exec->env[i].value);
    }
    for (size_t i = 0; i < exec->bind_count; i++) {
        add(&text, exec->binds[i].source);
        add(&text, exec->binds[i].destination);
    }
    for (size_t i = 0; i < exec->network_pattern_count; i++)
        add(&text, exec->network_patterns[i]);
    return digest_of(&text);
}
