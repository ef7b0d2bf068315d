#include "config.h"

#include "commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const struct command *command;
} commands[] = {
    {"mount", command_mount, &mount_command},
    {"automount", command_automount, &automount_command},
    {"umount", command_umount, &umount_command},
    {"up", command_up, &up_command},
    {"down", command_down, &down_command},
    {"restart", command_restart, &restart_command},
    {"ps", command_ps, &ps_command},
    {"reload", command_reload, &reload_command},
    {"gc", command_gc, &gc_command},
    {"log", command_log, &log_command},
    {"summary", command_summary, &summary_command},
    {"learn", command_learn, &learn_command},
    {"doctor", command_doctor, &doctor_command},
    {"check", command_check, &check_command},
    {"explain", command_explain, &explain_command},
    {"ls", command_ls, &ls_command},
    {"exec", command_exec, &exec_command},
};

static void print_help(FILE *stream)
{
    fprintf(stream, "Usage: scopefs COMMAND [OPTION]...\n\n"
                    "Shows each agent its own view of a directory.\n\nCommands:\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(stream, "  %-8s %s\n", commands[i].name, commands[i].command->purpose);
    fprintf(stream, "\n'scopefs COMMAND --help' tells more about one of them.\n");
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    /* Ignored by inheritance, children would be gone before anybody has read their status. */
    signal(SIGCHLD, SIG_DFL);
    if (!name) {
        print_help(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return STATUS_OK;
    }
    if (strcmp(name, "--version") == 0) {
        printf("scopefs %s\n", PACKAGE_VERSION);
        return STATUS_OK;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "scopefs: unknown command '%s'\n", name);
    print_help(stderr);
    return STATUS_USAGE;
}
