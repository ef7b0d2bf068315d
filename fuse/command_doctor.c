#include "commands.h"
#include "doctor.h"

#include <stdio.h>

static const struct option_row option_rows[] = {HELP_ROW, {0}};

const struct command doctor_command = {
    .name = "scopefs doctor",
    .synopsis = "",
    .purpose = "Probes what this host has of what scopefs needs or can use, and says how to get "
               "the rest. The exit status is 1 when views cannot be mounted.",
    .options = option_rows,
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    (void)context;
    (void)argument;
    (void)error;
    command_is_help(&doctor_command, row);
    return 0;
}

int command_doctor(int argc, char **argv)
{
    static const char *const words[] = {
        [HEALTH_GOOD] = "good", [HEALTH_LESS] = "less", [HEALTH_BROKEN] = "BROKEN"};
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&doctor_command, argc, argv, take_option, NULL, &error);
    if (operands < 0)
        return command_usage(&doctor_command, error->message);
    if (operands > 0)
        return command_usage(&doctor_command, "it takes no operand");
    int status = STATUS_OK;
    for (const struct doctor_row *row = doctor_rows; row->name; row++) {
        cleanup_strbuf struct strbuf text = {0}, mend = {0};
        enum health health = row->probe(&text, &mend);
        printf("%-6s  %s: %s\n", words[health], row->name, text.bytes ? text.bytes : "");
        if (health != HEALTH_GOOD)
            printf("        -> %s\n", mend.bytes ? mend.bytes : "");
        if (health == HEALTH_BROKEN)
            status = STATUS_FAILED;
    }
    return status;
}
