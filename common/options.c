#include "scopefs/options.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <getopt.h>

struct getopt_tables {
    struct option *longs;
    struct strbuf shorts;
};

static void free_tables(struct getopt_tables *tables)
{
    free(tables->longs);
    strbuf_free(&tables->shorts);
}

static struct getopt_tables make_tables(const struct command *command)
{
    struct getopt_tables tables = {0};
    size_t rows = 0;
    while (command->options[rows].name)
        rows++;
    tables.longs = xcalloc(rows + 1, sizeof(*tables.longs));
    strbuf_add_text(&tables.shorts, command->stop_at_operand ? "+:" : ":");
    for (size_t i = 0; i < rows; i++) {
        const struct option_row *row = &command->options[i];
        tables.longs[i].name = row->name;
        tables.longs[i].has_arg = row->argument ? required_argument : no_argument;
        if (row->letter)
            strbuf_add_format(&tables.shorts, "%c%s", row->letter, row->argument ? ":" : "");
    }
    return tables;
}

static const struct option_row *row_of(const struct command *command, int found, int long_index)
{
    if (found == 0)
        return &command->options[long_index];
    for (const struct option_row *row = command->options; row->name; row++)
        if (row->letter == found)
            return row;
    return NULL;
}

static int refuse(int found, char **argv, struct error **error)
{
    const char *given = argv[optind - 1];
    if (found == ':')
        error_set(error, 0, "option '%s' needs an argument", given);
    else if (optopt && !(given[0] == '-' && given[1] == '-'))
        error_set(error, 0, "unknown option '-%c'", optopt);
    else
        error_set(error, 0, "unknown or ambiguous option '%s'", given);
    return -1;
}

int options_parse(const struct command *command, int argc, char **argv, option_handler *handle,
                  void *context, struct error **error)
{
    __attribute__((cleanup(free_tables))) struct getopt_tables tables = make_tables(command);
    optind = 0; /* glibc: start over, also after another table */
    opterr = 0;
    for (;;) {
        int long_index = 0;
        int found = getopt_long(argc, argv, tables.shorts.bytes, tables.longs, &long_index);
        if (found == -1)
            break;
        if (found == '?' || found == ':')
            return refuse(found, argv, error);
        if (handle(context, row_of(command, found, long_index), optarg, error) < 0)
            return -1;
    }
    int operands = argc - optind;
    for (int i = 0; i < operands; i++)
        argv[1 + i] = argv[optind + i];
    return operands;
}

void options_print_help(const struct command *command, FILE *stream)
{
    fprintf(stream, "Usage: %s %s\n\n%s\n", command->name, command->synopsis, command->purpose);
    if (command->options[0].name)
        fprintf(stream, "\nOptions:\n");
    for (const struct option_row *row = command->options; row->name; row++) {
        cleanup_strbuf struct strbuf left = {0};
        if (row->letter)
            strbuf_add_format(&left, "-%c, ", row->letter);
        else
            strbuf_add_text(&left, "    ");
        strbuf_add_format(&left, "--%s%s%s", row->name, row->argument ? "=" : "",
                          row->argument ? row->argument : "");
        fprintf(stream, "  %-28s %s\n", left.bytes, row->help);
    }
}
