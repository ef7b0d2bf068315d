#include "audit_reader.h"
#include "commands.h"

#include "scopefs/mem.h"
#include "scopefs/policy.h"
#include "scopefs/strbuf.h"

#include <stdio.h>

/* So many names in one directory that need the same are taken for the directory. */
enum { NAMES_FOR_DIRECTORY = 3 };

static const struct option_row option_rows[] = {HELP_ROW, {0}};

const struct command learn_command = {
    .name = "scopefs learn",
    .synopsis = "SCOPE",
    .purpose = "Proposes rules that would have allowed what was recorded of a scope; record a task "
               "with 'log = all'. Nothing is changed.",
    .options = option_rows,
};

struct need {
    char *path; /* with its leading slash */
    enum level level;
    bool is_secret; /* by the preset */
};

struct lesson {
    struct need *needs;
    size_t count;
    unsigned long dropped;
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    (void)context;
    (void)argument;
    (void)error;
    command_is_help(&learn_command, row);
    return 0;
}

/* To look at something is no need: what is read or written below shows the way to it. */
static void add_need(void *data, const struct audit_line *line)
{
    struct lesson *lesson = data;
    enum level level;
    lesson->dropped += line->dropped;
    if (!level_parse(line->wanted, &level) || level < LEVEL_READ)
        return;
    for (size_t i = 0; i < lesson->count; i++) {
        struct need *need = &lesson->needs[i];
        if (strcmp(need->path, line->path) != 0)
            continue;
        need->level = level > need->level ? level : need->level;
        return;
    }
    lesson->needs = xreallocarray(lesson->needs, lesson->count + 1, sizeof(*lesson->needs));
    lesson->needs[lesson->count++] = (struct need){xstrdup(line->path), level, false};
}

static int compare_needs(const void *one, const void *other)
{
    return strcmp(((const struct need *)one)->path, ((const struct need *)other)->path);
}

static size_t directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static bool is_in_same(const struct need *one, const struct need *other)
{
    size_t length = directory_length(one->path);
    return one->level == other->level && !one->is_secret && !other->is_secret &&
           directory_length(other->path) == length && memcmp(one->path, other->path, length) == 0;
}

/* How many names need the same in the directory of this one; 0 when an earlier one has told. */
static size_t count_alike(const struct lesson *lesson, size_t number)
{
    size_t alike = 0;
    for (size_t i = 0; i < lesson->count; i++) {
        if (!is_in_same(&lesson->needs[number], &lesson->needs[i]))
            continue;
        if (i < number)
            return 0;
        alike++;
    }
    return alike;
}

/* The names are an agent's to choose: what is printed as one line stays one line, and what a
 * terminal would obey, or somebody read as something else, goes into no rule. */
static bool is_nameable(const char *path)
{
    cleanup_strbuf struct strbuf quoted = {0};
    size_t backslashes = 0;
    for (const char *at = path; (at = strchr(at, '\\')); at++)
        backslashes++;
    strbuf_add_quoted(&quoted, path, strlen(path));
    return quoted.length == strlen(path) + backslashes;
}

static void print_unnameable(const char *path)
{
    cleanup_strbuf struct strbuf quoted = {0};
    strbuf_add_quoted(&quoted, path, strlen(path));
    printf("; no rule can name: %s\n", quoted.bytes);
}

/* The path as a pattern that matches nothing else, quoted for the file if it has to be. */
static void add_pattern(struct strbuf *text, const char *path, size_t length)
{
    cleanup_strbuf struct strbuf pattern = {0};
    bool quote = false;
    for (size_t i = 0; i < length; i++) {
        if (strchr("*?[]{}\\", path[i]))
            strbuf_add_text(&pattern, "\\");
        quote = quote || strchr(" ;#\"", path[i]);
        strbuf_add_text(&pattern, path[i] == '"' ? "\\" : "");
        strbuf_add(&pattern, &path[i], 1);
    }
    strbuf_add_format(text, "%s%s%s", quote ? "\"" : "", pattern.bytes, quote ? "\"" : "");
}

static void print_rule(const char *remark, enum level level, const char *path, size_t length)
{
    cleanup_strbuf struct strbuf rule = {0};
    cleanup_free char *whole = xmemdup0(path, length);
    if (!is_nameable(whole)) {
        print_unnameable(whole);
        return;
    }
    strbuf_add_format(&rule, "%s%-5s = ", remark, level_name(level));
    add_pattern(&rule, path, length);
    puts(rule.bytes);
}

static void print_need(const struct lesson *lesson, size_t number)
{
    const struct need *need = &lesson->needs[number];
    size_t alike = need->is_secret ? 0 : count_alike(lesson, number);
    size_t directory = directory_length(need->path);
    /* The root stands for everything, which is never learnt. */
    bool as_directory = alike >= NAMES_FOR_DIRECTORY && directory > 1;
    if (need->is_secret)
        print_rule("; looks like a secret: ", need->level, need->path, strlen(need->path));
    if (as_directory)
        print_rule("", need->level, need->path, directory);
    for (size_t i = number; i < lesson->count && alike && !as_directory; i++)
        if (is_in_same(need, &lesson->needs[i]))
            print_rule("", need->level, lesson->needs[i].path, strlen(lesson->needs[i].path));
}

/* A later rule wins, so that what must be written comes behind what is read around it. */
static void print_lesson(const char *scope, struct lesson *lesson)
{
    if (lesson->count)
        qsort(lesson->needs, lesson->count, sizeof(*lesson->needs), compare_needs);
    printf("; What was used in scope %s. Read it before you take it over.\n[rules %s]\n", scope,
           scope);
    for (enum level level = LEVEL_READ; level <= LEVEL_WRITE; level++)
        for (size_t i = 0; i < lesson->count; i++)
            if (lesson->needs[i].level == level)
                print_need(lesson, i);
    if (lesson->dropped)
        printf("; %lu records were lost, so that something may be missing.\n", lesson->dropped);
}

static void mark_secrets(struct lesson *lesson)
{
    static const char *const presets[] = {"secrets", NULL}, *const rules[] = {"read=/", NULL};
    cleanup_diagnostics struct diagnostics ignored = {0};
    struct config *config = config_from_options("secrets", "/", presets, rules, &ignored);
    for (size_t i = 0; config && i < lesson->count; i++) {
        struct need *need = &lesson->needs[i];
        const struct state *state =
            policy_find(config->scopes[0]->policy, need->path, strlen(need->path));
        need->is_secret = state && state_level(state) == LEVEL_NONE;
    }
    config_free(config);
}

int command_learn(int argc, char **argv)
{
    struct lesson lesson = {0};
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&learn_command, argc, argv, take_option, NULL, &error);
    if (operands < 0)
        return command_usage(&learn_command, error->message);
    if (operands != 1)
        return command_usage(&learn_command, "give one SCOPE");
    int failed = audit_read(argv[1], false, add_need, &lesson, &error);
    if (!failed) {
        mark_secrets(&lesson);
        print_lesson(argv[1], &lesson);
    }
    for (size_t i = 0; i < lesson.count; i++)
        free(lesson.needs[i].path);
    free(lesson.needs);
    return failed ? command_fail(&learn_command, error) : STATUS_OK;
}
