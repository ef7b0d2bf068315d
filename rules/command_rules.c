#include "scopefs/command_rules.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <fnmatch.h>
#include <stdio.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define EXPRESSION_PREFIX "re:"
#define MATCH_LIMIT       100000
#define NESTING_LIMIT     8 /* of sh -c in sh -c */

static const char blanks[] = " \t";

/* Words with their own memory. */
struct words {
    char **items; /* NULL-terminated once there is one */
    size_t count;
};

static void add_word(struct words *words, const char *text, size_t length)
{
    words->items = xreallocarray(words->items, words->count + 2, sizeof(*words->items));
    words->items[words->count++] = xmemdup0(text, length);
    words->items[words->count] = NULL;
}

static void free_words(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct words){0};
}

#define cleanup_words __attribute__((cleanup(free_words)))

static const char *expression_of(const char *pattern)
{
    size_t length = strlen(EXPRESSION_PREFIX);
    return strncmp(pattern, EXPRESSION_PREFIX, length) == 0 ? pattern + length : NULL;
}

static pcre2_code *compile(const char *expression, int *number, size_t *offset)
{
    return pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED,
                         PCRE2_DOTALL | PCRE2_NEVER_UTF, number, offset, NULL);
}

bool command_rule_check(const char *pattern, size_t *offset, char *message, size_t size)
{
    const char *expression = expression_of(pattern);
    int number;
    if (!expression)
        return true;
    pcre2_code *code = compile(expression, &number, offset);
    *offset += strlen(EXPRESSION_PREFIX);
    if (code) {
        pcre2_code_free(code);
        return true;
    }
    unsigned char text[200];
    pcre2_get_error_message(number, text, sizeof(text));
    snprintf(message, size, "PCRE2 cannot compile the expression: %s", (const char *)text);
    return false;
}

/* What cannot be decided counts for the rules that restrict, and against one that allows. */
static bool expression_matches(const char *expression, char *const *command,
                               enum command_verdict verdict)
{
    cleanup_strbuf struct strbuf line = {0};
    int number;
    size_t offset;
    for (size_t i = 0; command[i]; i++) {
        strbuf_add_text(&line, i ? " " : "");
        strbuf_add_text(&line, command[i]);
    }
    pcre2_code *code = compile(expression, &number, &offset);
    pcre2_match_data *match = code ? pcre2_match_data_create_from_pattern(code, NULL) : NULL;
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    int result = PCRE2_ERROR_NOMEMORY;
    if (match && context) {
        pcre2_set_match_limit(context, MATCH_LIMIT);
        result = pcre2_match(code, (PCRE2_SPTR)line.bytes, line.length, 0, 0, match, context);
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
    if (result < 0 && result != PCRE2_ERROR_NOMATCH)
        return verdict != COMMAND_ALLOW;
    return result >= 0;
}

static bool words_match(char *const *pattern, char *const *command)
{
    if (!*pattern)
        return true;
    if (strcmp(*pattern, "**") == 0) {
        do {
            if (words_match(pattern + 1, command))
                return true;
        } while (*command++);
        return false;
    }
    return *command && fnmatch(*pattern, *command, 0) == 0 && words_match(pattern + 1, command + 1);
}

static bool globs_match(const char *text, char *const *command)
{
    cleanup_words struct words pattern = {0};
    for (const char *at = text + strspn(text, blanks); *at; at += strspn(at, blanks)) {
        size_t length = strcspn(at, blanks);
        /* One more "**" says nothing, and would make matching slow. */
        if (pattern.count == 0 || strncmp(at, "**", length) != 0 ||
            strcmp(pattern.items[pattern.count - 1], "**") != 0)
            add_word(&pattern, at, length);
        at += length;
    }
    if (pattern.count == 0 || !command[0])
        return false;
    const char *slash = strrchr(command[0], '/');
    if (strcmp(pattern.items[0], "**") == 0 || strchr(pattern.items[0], '/') || !slash)
        return words_match(pattern.items, command);
    return fnmatch(pattern.items[0], slash + 1, 0) == 0 &&
           words_match(pattern.items + 1, command + 1);
}

static const struct command_rule *decide_words(const struct command_rule *rules, size_t count,
                                               char *const *command)
{
    for (size_t i = count; i-- > 0;) {
        const char *expression = expression_of(rules[i].pattern);
        if (expression ? expression_matches(expression, command, rules[i].verdict)
                       : globs_match(rules[i].pattern, command))
            return &rules[i];
    }
    return NULL;
}

static int strictness(const struct command_rule *rule)
{
    static const int of_verdict[] = {[COMMAND_ALLOW] = 1, [COMMAND_ASK] = 2, [COMMAND_DENY] = 3};
    return rule ? of_verdict[rule->verdict] : 0;
}

static const struct command_rule *stricter(const struct command_rule *one,
                                           const struct command_rule *other)
{
    return strictness(other) > strictness(one) ? other : one;
}

/* The line behind -c (also -lc and the like), when the command is a shell; else NULL. */
static char *shell_line(char *const *command)
{
    static const char *const shells[] = {"sh", "bash", "dash", "zsh", "ksh", "ash", "busybox"};
    const char *slash = strrchr(command[0], '/');
    const char *name = slash ? slash + 1 : command[0];
    bool is_shell = false;
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        is_shell = is_shell || strcmp(name, shells[i]) == 0;
    for (size_t i = 1; is_shell && command[i]; i++)
        if (command[i][0] == '-' && command[i][1] != '-' && strchr(command[i], 'c'))
            return command[i + 1];
    return NULL;
}

/* Reads the next simple command of a shell line, roughly: words end at blanks, commands at ;|&()
 * newlines and backquotes, and quotes only vanish. Returns where to go on, or NULL at the end. */
static const char *next_command(const char *at, struct words *words)
{
    cleanup_strbuf struct strbuf word = {0};
    bool in_word = false;
    char quote = '\0';
    for (; *at; at++) {
        if (quote ? *at == quote : (*at == '\'' || *at == '"')) {
            quote = quote ? '\0' : *at;
            in_word = true;
        } else if (!quote && strchr(" \t;|&()\n`", *at)) {
            if (in_word)
                add_word(words, word.bytes ? word.bytes : "", word.length);
            strbuf_clear(&word);
            in_word = false;
            if (*at != ' ' && *at != '\t')
                return at + 1;
        } else {
            if (*at == '\\' && at[1] && quote != '\'')
                at++;
            strbuf_add(&word, at, 1);
            in_word = true;
        }
    }
    if (in_word)
        add_word(words, word.bytes ? word.bytes : "", word.length);
    return NULL;
}

/* Words that stand before a command without being one. */
static bool is_prefix_word(const char *word)
{
    static const char *const prefixes[] = {"if",    "then",  "else", "elif", "do",   "while",
                                           "until", "!",     "{",    "exec", "time", "command",
                                           "env",   "nohup", "sudo", "xargs"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strcmp(word, prefixes[i]) == 0)
            return true;
    const char *equals = strchr(word, '=');
    return equals && equals != word && !memchr(word, '/', (size_t)(equals - word));
}

static const struct command_rule *decide(const struct command_rule *rules, size_t count,
                                         char *const *command, unsigned nesting)
{
    const struct command_rule *found = decide_words(rules, count, command);
    while (command[0] && is_prefix_word(command[0]) && command[1])
        found = stricter(found, decide_words(rules, count, ++command));
    const char *line = command[0] && nesting < NESTING_LIMIT ? shell_line(command) : NULL;
    while (line) {
        cleanup_words struct words simple = {0};
        line = next_command(line, &simple);
        if (simple.count > 0)
            found = stricter(found, decide(rules, count, simple.items, nesting + 1));
    }
    return found;
}

const struct command_rule *command_rules_decide(const struct command_rule *rules, size_t count,
                                                char *const *command)
{
    return count ? decide(rules, count, command, 0) : NULL;
}
