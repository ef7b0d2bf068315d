/*
 * Random bytes into the readers: whatever they say, they say it without a crash, and what they take
 * they can also decide with. Worth most with sanitizers built in. SCOPEFS_TEST_SEED and
 * SCOPEFS_TEST_ROUNDS choose others and more.
 */
#include "../tap.h"
#include "random.h"
#include "sandbox.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

static const char *const pieces[] = {
    "[",
    "]",
    "[scope a]",
    "[rules a]",
    "[ceiling a]",
    "[exec a]",
    "\n",
    "\n",
    "\n",
    "\r\n",
    " ",
    "\t",
    "=",
    ":",
    ";",
    " ;",
    " #",
    "#",
    "\"",
    "\\",
    "\\\"",
    "none",
    "read",
    "write",
    "view",
    "source",
    " = ",
    "/",
    "**",
    "*",
    "?",
    "{",
    "}",
    ",",
    "[a-z]",
    "[!",
    "[:alpha:]",
    "..",
    ".",
    "!",
    "a",
    "b",
    "preset = secrets",
    "default",
    "env.A",
    "env-pass",
    "timeout",
    "deny = re:",
    "ro-bind",
    "memory",
    "10s",
    "\xef\xbb\xbf",
    "\x01",
    "\xff",
    "parent = a",
    "source = /s\n",
    "none = ",
    "view = \"",
};

static void add_piece(struct strbuf *text)
{
    unsigned kind = random_below(100);
    if (kind < 85) {
        strbuf_add_text(text, pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))]);
    } else if (kind < 98) {
        unsigned char byte = (unsigned char)random_below(256);
        strbuf_add(text, &byte, 1);
    } else {
        for (unsigned left = random_below(250); left > 0; left--)
            strbuf_add(text, "x", 1);
    }
}

static void decide_some(const struct policy *policy)
{
    struct explanation explanation;
    static const char *const paths[] = {"", "a", "a/b", "\xff", "x.y/z", "a/b/c/../d"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (policy_explain(policy, paths[i], strlen(paths[i]), &explanation))
            explanation_free(&explanation);
}

/* Whether every error has a place in the file, and there is one when nothing was loaded. */
static bool is_sound(const struct config *config, const struct diagnostics *found, size_t lines)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i].line > lines || strchr(found->items[i].message, '\n'))
            return false;
    return config ? found->errors == 0 : found->errors > 0;
}

static bool try_file(void)
{
    cleanup_strbuf struct strbuf text = {0};
    if (random_percent(70))
        strbuf_add_text(&text, "[scope a]\nsource = /s\n[rules a]\n");
    for (unsigned left = random_below(60); left > 0; left--)
        add_piece(&text);
    size_t lines = 1;
    for (size_t i = 0; i < text.length; i++)
        lines += text.bytes[i] == '\n';

    cleanup_diagnostics struct diagnostics found = {0};
    struct config *config = load_bytes(text.bytes ? text.bytes : "", text.length, &found);
    bool sound = is_sound(config, &found, lines);
    if (!sound) {
        cleanup_free char *said = diagnostics_text(&found);
        diag("%.*s\n%s", (int)text.length, text.bytes, said);
    }
    for (size_t i = 0; config && i < config->scope_count; i++)
        decide_some(config->scopes[i]->policy);
    config_free(config);
    return sound;
}

static bool try_pattern(unsigned long *taken)
{
    cleanup_strbuf struct strbuf rule = {0};
    strbuf_add_text(&rule, "view=");
    for (unsigned left = random_below(14); left > 0; left--)
        add_piece(&rule);
    const char *rules[] = {rule.bytes, NULL};
    cleanup_diagnostics struct diagnostics found = {0};
    struct config *config = config_from_options("a", "/s", NULL, rules, &found);
    bool sound = config ? found.errors == 0 : found.errors == 1;
    if (!sound || (found.count && found.items[0].column > strlen(rule.bytes) + 1))
        sound = false;
    if (config) {
        ++*taken;
        decide_some(config->scopes[0]->policy);
    }
    config_free(config);
    return sound;
}

int main(void)
{
    const char *given = getenv("SCOPEFS_TEST_ROUNDS");
    unsigned long rounds = given ? strtoul(given, NULL, 10) : 20000, files = 0, patterns = 0;
    unsigned long taken = 0, seed = random_start(99);
    note("seed %lu, %lu rounds", seed, rounds);
    while (files < rounds && try_file())
        files++;
    is_int(files, rounds, "files of random pieces are loaded or refused at a place");
    while (patterns < rounds && try_pattern(&taken))
        patterns++;
    is_int(patterns, rounds, "patterns of random pieces are compiled or refused at a place");
    ok(taken > rounds / 20, "and enough of them are patterns to mean something (%lu)", taken);
    return done_testing();
}
