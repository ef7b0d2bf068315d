#include "invocation.h"

#include "scopefs/duration.h"
#include "scopefs/mem.h"
#include "session_sandbox.h"
#include "session_start.h"
#include "tool_server.h"

#include <fcntl.h>
#include <stdio.h>

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read scopes from FILE"},
    {"workdir", 'w', "DIR", "start in DIR of the view"},
    {"env", 'e', "NAME=VALUE", "set a variable for the command; may be repeated"},
    {"stdin", 0, "FILE", "take the command's standard input from FILE"},
    {"shell", 's', "LINE", "run LINE with sh, in place of a command"},
    {"json", 'j', NULL, "print what became of it, with its output, as one JSON object"},
    {"timeout", 't', "DURATION", "end it after that time (90s, 5m, 0: never)"},
    {"view", 0, "DIR", "use the view of the scope that is mounted there"},
    {"yes", 'y', NULL, "allow what a rule asks about and the scope names no approver for"},
    {"report", 0, "FD", "write there what became of it, as --json does, without its output"},
    {"session", 0, "NAME", "run it in the shell of that name, which stays for the next call"},
    {"tty", 'T', NULL, "make the session one of a terminal, or take its terminal again"},
    {"tool-server", 0, NULL, "run the worker of scopefs-mcp(1) in place of a command"},
    {"dry-run", 'n', NULL, "print the bwrap command line instead of running it"},
    {"print-seccomp", 0, NULL,
     "write the system call filter that --dry-run refers to, of SCOPE or the usual one"},
    {"help", 'h', NULL, "print this help"},
    {"version", 0, NULL, "print the version"},
    {0},
};

const struct command invocation_command = {
    .name = "scopefs-exec",
    .synopsis = "[OPTION...] SCOPE [--] COMMAND [ARGUMENT...] | [OPTION...] -s LINE SCOPE | "
                "session {list | close} [--help] ...",
    .purpose = "Run a command in a sandbox whose workspace is the view of a scope.",
    .options = option_rows,
    .stop_at_operand = true,
};

static void add_environment(struct invocation *invocation, const char *assignment)
{
    invocation->environment =
        xreallocarray(invocation->environment, invocation->environment_count + 2,
                      sizeof(*invocation->environment));
    invocation->environment[invocation->environment_count++] = assignment;
    invocation->environment[invocation->environment_count] = NULL;
}

static void take_flag(struct invocation *invocation, const char *name)
{
    if (strcmp(name, "dry-run") == 0)
        invocation->dry_run = true;
    else if (strcmp(name, "print-seccomp") == 0)
        invocation->print_seccomp = true;
    else if (strcmp(name, "json") == 0)
        invocation->json = true;
    else if (strcmp(name, "yes") == 0)
        invocation->yes = true;
    else if (strcmp(name, "tty") == 0)
        invocation->tty = true;
    else if (strcmp(name, "tool-server") == 0)
        invocation->tool_server = true;
    else if (strcmp(name, "help") == 0)
        invocation->help = true;
    else
        invocation->version = true;
}

static int take_descriptor(struct invocation *invocation, const char *argument,
                           struct error **error)
{
    char end;
    if (sscanf(argument, "%d%c", &invocation->report, &end) == 1 &&
        fcntl(invocation->report, F_GETFD) >= 0)
        return 0;
    return error_set(error, 0, "--report %s: it is no open descriptor", argument);
}

static int handle_option(void *context, const struct option_row *row, const char *argument,
                         struct error **error)
{
    struct invocation *invocation = context;
    if (strcmp(row->name, "config") == 0) {
        invocation->config_file = argument;
    } else if (strcmp(row->name, "workdir") == 0) {
        invocation->request.workdir = argument;
    } else if (strcmp(row->name, "env") == 0) {
        add_environment(invocation, argument);
    } else if (strcmp(row->name, "timeout") == 0) {
        invocation->request.has_timeout = true;
        if (!duration_parse(argument, &invocation->request.timeout_ms))
            return error_set(error, 0, "'%s' is no duration; " DURATION_SYNTAX, argument);
    } else if (strcmp(row->name, "stdin") == 0) {
        invocation->input_file = argument;
    } else if (strcmp(row->name, "view") == 0) {
        invocation->view = argument;
    } else if (strcmp(row->name, "session") == 0) {
        invocation->session = argument;
    } else if (strcmp(row->name, "report") == 0) {
        return take_descriptor(invocation, argument, error);
    } else if (strcmp(row->name, "shell") == 0) {
        free(invocation->shell_line);
        invocation->shell_line = xstrdup(argument);
    } else {
        take_flag(invocation, row->name);
    }
    return 0;
}

static char *const *shell_command(struct invocation *invocation)
{
    static char shell[] = "sh", option[] = "-c";
    invocation->shell_command[0] = shell;
    invocation->shell_command[1] = option;
    invocation->shell_command[2] = invocation->shell_line;
    return invocation->shell_command;
}

static int take_session_command(struct invocation *invocation, char **words, struct error **error)
{
    if (strcmp(words[0], SESSION_SERVE) != 0) {
        invocation->session_command = words;
        return 0;
    }
    if (!words[1] || !words[2] || words[3])
        return error_set(error, 0, "%s: sessions are kept by themselves", invocation_command.name);
    invocation->scope_name = words[1];
    invocation->session = words[2];
    invocation->serves_session = true;
    return 0;
}

int invocation_parse(struct invocation *invocation, int argc, char **argv, struct error **error)
{
    *invocation = (struct invocation){.report = -1};
    int operands = options_parse(&invocation_command, argc, argv, handle_option, invocation, error);
    if (operands < 0)
        return -1;
    if (invocation->print_seccomp && operands > 0)
        invocation->scope_name = argv[1];
    if (invocation->help || invocation->version || invocation->print_seccomp)
        return 0;
    argv[1 + operands] = NULL;
    /* A scope of that name is told from it by the dashes behind it. */
    if (operands > 1 && strcmp(argv[1], "session") == 0 && strcmp(argv[2], "--") != 0)
        return take_session_command(invocation, argv + 2, error);
    int first_word = operands > 1 && strcmp(argv[2], "--") == 0 ? 3 : 2;
    if (operands < 1)
        return error_set(error, 0, "%s: name a scope and a command", invocation_command.name);
    if (invocation->shell_line && operands > 1)
        return error_set(error, 0, "%s: give a line with -s or a command, not both",
                         invocation_command.name);
    if (invocation->tool_server && (operands > 1 || invocation->shell_line))
        return error_set(error, 0, "%s: --tool-server takes no command", invocation_command.name);
    if (invocation->session && invocation->tool_server)
        return error_set(error, 0, "%s: --tool-server runs in no session", invocation_command.name);
    if (invocation->tty && (!invocation->session || operands > 1 || invocation->shell_line ||
                            invocation->json || invocation->report >= 0))
        return error_set(error, 0, "%s: --tty goes with --session, and with no command or report",
                         invocation_command.name);
    if (!invocation->shell_line && !invocation->tool_server && !invocation->tty &&
        first_word > operands)
        return error_set(error, 0, "%s: name a command to run in scope %s", invocation_command.name,
                         argv[1]);
    invocation->scope_name = argv[1];
    invocation->request.command = invocation->tool_server  ? tool_server_command
                                  : invocation->tty        ? session_shell_command
                                  : invocation->shell_line ? shell_command(invocation)
                                                           : argv + first_word;
    invocation->request.environment = invocation->environment;
    return 0;
}

void invocation_free(struct invocation *invocation)
{
    free(invocation->environment);
    free(invocation->shell_line);
}
