#include "audit_reader.h"
#include "commands.h"

#include "scopefs/strbuf.h"

#include <stdio.h>
#include <string.h>

static const struct option_row option_rows[] = {
    {"follow", 'f', NULL, "go on with what comes"},
    {"denied", 'd', NULL, "only what was refused"},
    {"json", 'j', NULL, "print the records as they are, one JSON object per line"},
    HELP_ROW,
    {0},
};

const struct command log_command = {
    .name = "scopefs log",
    .synopsis = "[-f] [--denied] [--json] SCOPE",
    .purpose = "Prints what was recorded of a scope: what the rules refused and which rule did, "
               "and what the scope's 'log' setting adds.",
    .options = option_rows,
};

struct log_options {
    bool follow, denied, json;
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    struct log_options *options = context;
    (void)argument;
    (void)error;
    if (command_is_help(&log_command, row))
        return 0;
    if (row->letter == 'f')
        options->follow = true;
    else if (row->letter == 'd')
        options->denied = true;
    else
        options->json = true;
    return 0;
}

static void print(void *data, const struct audit_line *line)
{
    const struct log_options *options = data;
    cleanup_strbuf struct strbuf text = {0};
    if (options->denied && !line->error)
        return;
    if (options->json) {
        audit_line_write(line, &text);
    } else {
        strbuf_add_quoted(&text, line->time, strlen(line->time));
        strbuf_add_text(&text, " ");
        audit_line_describe(line, &text);
        strbuf_add_text(&text, "\n");
    }
    fputs(text.bytes, stdout);
}

int command_log(int argc, char **argv)
{
    struct log_options options = {0};
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&log_command, argc, argv, take_option, &options, &error);
    if (operands < 0)
        return command_usage(&log_command, error->message);
    if (operands != 1)
        return command_usage(&log_command, "give one SCOPE");
    return audit_read(argv[1], options.follow, print, &options, &error) < 0
               ? command_fail(&log_command, error)
               : STATUS_OK;
}
