#include "commands.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <stdio.h>

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read this file instead of looking for scopefs.ini"},
    {"json", 0, NULL, "print one JSON object per path, a line each"},
    HELP_ROW,
    {0},
};

const struct command explain_command = {
    .name = "scopefs explain",
    .synopsis = "[-c FILE] [--json] SCOPE PATH...",
    .purpose = "Says which level paths of a scope have, and which rule decides it. Paths start at "
               "the scope's root; they need not exist.",
    .options = option_rows,
};

struct explain_options {
    const char *config;
    bool json;
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    struct explain_options *options = context;
    (void)error;
    if (command_is_help(&explain_command, row))
        return 0;
    if (row->letter == 'c')
        options->config = argument;
    else
        options->json = true;
    return 0;
}

/* What decided the level: the ceiling that lowered it, else the rule; NULL for the default. */
static const struct rule *decider(const struct verdict *verdict)
{
    return verdict->ceiling ? verdict->ceiling : verdict->rule;
}

static void add_json_text(struct strbuf *out, const char *key, const char *text)
{
    strbuf_add_format(out, "\"%s\": ", key);
    if (text)
        strbuf_add_json(out, text, strlen(text));
    else
        strbuf_add_text(out, "null");
}

static void add_json_rule(struct strbuf *out, const struct rule *rule)
{
    strbuf_add_text(out, "{");
    add_json_text(out, "file", rule->file);
    strbuf_add_format(out, ", \"line\": %u, ", rule->line);
    add_json_text(out, "pattern", rule->pattern);
    strbuf_add_format(out, ", \"level\": \"%s\", \"ceiling\": %s", level_name(rule->level),
                      rule->is_ceiling ? "true" : "false");
}

static void print_json(const char *path, const struct explanation *explanation)
{
    const struct verdict *verdict = &explanation->verdict;
    cleanup_strbuf struct strbuf out = {0};
    strbuf_add_text(&out, "{");
    add_json_text(&out, "path", path);
    strbuf_add_format(&out, ", \"level\": \"%s\", \"rule\": ", level_name(verdict->level));
    if (decider(verdict)) {
        add_json_rule(&out, decider(verdict));
        strbuf_add_text(&out, "}");
    } else {
        strbuf_add_text(&out, "null");
    }
    strbuf_add_format(&out, ", \"wanted\": \"%s\", \"way_through\": %s, ",
                      level_name(verdict->wanted), verdict->way_through ? "true" : "false");
    add_json_text(&out, "parent", verdict->parent);
    strbuf_add_text(&out, ", \"matches\": [");
    for (size_t i = 0; i < explanation->count; i++) {
        strbuf_add_text(&out, i ? ", " : "");
        add_json_rule(&out, explanation->matches[i].rule);
        strbuf_add_format(&out, ", \"decides\": %s}",
                          explanation->matches[i].decides ? "true" : "false");
    }
    strbuf_add_text(&out, "]}");
    puts(out.bytes);
}

static const char *meaning(const struct verdict *verdict)
{
    static const char *const meanings[] = {
        [LEVEL_NONE] = "does not exist for the agent",
        [LEVEL_VIEW] = "is listed, but cannot be read",
        [LEVEL_READ] = "can be read, but not changed",
        [LEVEL_WRITE] = "can be read and changed",
    };
    if (verdict->way_through)
        return "a directory here is shown as the way to something below it; anything else does not "
               "exist for the agent";
    return meanings[verdict->level];
}

static const char *part_played(const struct match *match, const struct verdict *verdict)
{
    if (match->rule->is_ceiling)
        return match->decides ? "lowers it" : "lowers nothing more";
    if (match->decides)
        return verdict->ceiling ? "decides below the ceiling" : "decides";
    return "loses to a later rule";
}

static void print_text(const char *path, const struct explanation *explanation)
{
    const struct verdict *verdict = &explanation->verdict;
    cleanup_strbuf struct strbuf out = {0};
    strbuf_add_quoted(&out, path, strlen(path));
    strbuf_add_format(&out, ": %s (%s)\n", level_name(verdict->level), meaning(verdict));
    for (size_t i = explanation->count; i-- > 0;) {
        const struct match *match = &explanation->matches[i];
        strbuf_add_format(&out, "  %-7s %s:%u: %s = ", match->rule->is_ceiling ? "ceiling" : "rule",
                          match->rule->file, match->rule->line, level_name(match->rule->level));
        strbuf_add_quoted(&out, match->rule->pattern, strlen(match->rule->pattern));
        strbuf_add_format(&out, "  (%s)\n", part_played(match, verdict));
    }
    if (!verdict->rule)
        strbuf_add_format(&out, "  default %s: no rule covers it\n", level_name(verdict->wanted));
    if (verdict->parent)
        strbuf_add_format(&out, "  parent  %s: gives this path no more\n", verdict->parent);
    fputs(out.bytes, stdout);
}

static int explain_path(const struct scope *scope, const char *path, bool json,
                        struct error **error)
{
    struct explanation explanation;
    if (!*path)
        return error_set(error, 0, "an empty path names nothing; '/' is the scope's root");
    if (!policy_explain(scope->policy, path, strlen(path), &explanation))
        return error_set(error, 0, "'%s' has a '..'; write the path from the scope's root", path);
    if (json)
        print_json(path, &explanation);
    else
        print_text(path, &explanation);
    explanation_free(&explanation);
    return 0;
}

static int explain_all(const struct explain_options *options, char **operands)
{
    cleanup_error struct error *error = NULL;
    struct config *config = command_load(&explain_command, options->config);
    if (!config)
        return STATUS_FAILED;
    const struct scope *scope = config_scope(config, operands[0], &error);
    int status = scope ? STATUS_OK : command_fail(&explain_command, error);
    for (char **path = operands + 1; scope && *path && status == STATUS_OK; path++)
        if (explain_path(scope, *path, options->json, &error) < 0)
            status = command_fail(&explain_command, error);
    config_free(config);
    return status;
}

int command_explain(int argc, char **argv)
{
    struct explain_options options = {0};
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&explain_command, argc, argv, take_option, &options, &error);
    if (operands < 0)
        return command_usage(&explain_command, error->message);
    if (operands < 2)
        return command_usage(&explain_command, "give a SCOPE and at least one PATH");
    argv[1 + operands] = NULL;
    return explain_all(&options, argv + 1);
}
