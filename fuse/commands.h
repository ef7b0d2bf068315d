/* The commands of the program `scopefs`: one file each. A command gets its own argv (argv[0] is its
 * name) and returns the exit status: 0, 1 for a failure, 2 for a usage error. */
#ifndef SCOPEFS_FUSE_COMMANDS_H
#define SCOPEFS_FUSE_COMMANDS_H

#include "scopefs/config.h"
#include "scopefs/error.h"
#include "scopefs/options.h"

enum exit_status { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

extern const struct command mount_command, umount_command, check_command, explain_command,
    ls_command, exec_command, reload_command, up_command, down_command, restart_command, ps_command,
    gc_command, log_command, summary_command, doctor_command, learn_command, automount_command;

int command_mount(int argc, char **argv);
int command_umount(int argc, char **argv);
int command_check(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_ls(int argc, char **argv);
int command_exec(int argc, char **argv);
int command_reload(int argc, char **argv);
int command_automount(int argc, char **argv);
int command_up(int argc, char **argv);
int command_down(int argc, char **argv);
int command_restart(int argc, char **argv);
int command_ps(int argc, char **argv);
int command_gc(int argc, char **argv);
int command_log(int argc, char **argv);
int command_summary(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_learn(int argc, char **argv);

/* For all commands: print "COMMAND: message" and give the status. */
int command_fail(const struct command *command, const struct error *error);
int command_usage(const struct command *command, const char *message);

/* Handles --help by printing and leaving; true when the row is it. */
bool command_is_help(const struct command *command, const struct option_row *row);
#define HELP_ROW                                                                                   \
    {                                                                                              \
        "help", 'h', NULL, "show this help"                                                        \
    }

/* The absolute path of the file, or of the one that config_find finds when it is NULL, so that what
 * a daemon tells of it means the same everywhere. NULL after a message; the caller frees it. */
char *command_config_path(const struct command *command, const char *file);

/* Loads the file, or the one that config_find finds when it is NULL, and prints what is wrong with
 * it. NULL when it cannot be used. */
struct config *command_load(const struct command *command, const char *file);

#endif
