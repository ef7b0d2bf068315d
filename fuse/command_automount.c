#include "commands.h"
#include "launch.h"
#include "selection.h"

#include "scopefs/mem.h"

#include <stdio.h>
#include <string.h>

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read this file instead of looking for scopefs.ini"},
    HELP_ROW,
    {0},
};

const struct command automount_command = {
    .name = "scopefs automount",
    .synopsis = "[-c FILE] [SCOPE]",
    .purpose = "Prints the line of autofs's map for a scope that says 'automount = yes', or the "
               "lines of fstab for all of them.",
    .options = option_rows,
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    (void)error;
    if (!command_is_help(&automount_command, row))
        *(const char **)context = argument;
    return 0;
}

/* Neither file could say such a name inside an option. */
static int check_file(const char *file, struct error **error)
{
    if (!strpbrk(file, " \t\n\\,\"#"))
        return 0;
    return error_set(error, 0,
                     "the name of %s has a blank, a comma, a quote, '#' or a backslash, which no "
                     "mount option can hold; rename it",
                     file);
}

/* See autofs(5): a map that is a program prints what belongs to the one key. */
static int print_map_entry(const struct scope *scope, const char *file, struct error **error)
{
    if (!scope->automount)
        return error_set(error, 0, "scope %s does not say 'automount = yes'", scope->name);
    printf("-fstype=fuse.scopefs,config=%s :%s\n", file, scope->name);
    return 0;
}

/* A field of fstab(5). */
static void print_field(const char *text)
{
    for (; *text; text++) {
        if (strchr(" \t\n\\", *text))
            printf("\\%03o", (unsigned char)*text);
        else
            putchar(*text);
    }
}

static void print_table(const struct selection *selection)
{
    for (size_t i = 0; i < selection->count; i++) {
        const struct scope *scope = selection->scopes[i];
        cleanup_free char *place = launch_place(scope);
        if (!scope->automount)
            continue;
        printf("%s ", scope->name);
        print_field(place);
        printf(" fuse.scopefs noauto,x-systemd.automount,config=%s 0 0\n", selection->config_file);
    }
}

int command_automount(int argc, char **argv)
{
    const char *file = NULL;
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&automount_command, argc, argv, take_option, &file, &error);
    if (operands < 0)
        return command_usage(&automount_command, error->message);
    if (operands > 1)
        return command_usage(&automount_command, "give at most one SCOPE");
    cleanup_selection struct selection selection = {0};
    if (!selection_load(&selection, &automount_command, file, argv + 1, (size_t)operands))
        return STATUS_FAILED;
    if (check_file(selection.config_file, &error) < 0)
        return command_fail(&automount_command, error);
    if (operands == 0)
        print_table(&selection);
    else if (print_map_entry(selection.scopes[0], selection.config_file, &error) < 0)
        return command_fail(&automount_command, error);
    return STATUS_OK;
}
