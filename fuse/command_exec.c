#include "commands.h"

#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* What timeout(1) and env(1) return when they themselves fail. */
enum { STATUS_HELPER_FAILED = 125 };

static const struct option_row option_rows[] = {{0}};

const struct command exec_command = {
    .name = "scopefs exec",
    .synopsis = "[OPTION]... SCOPE -- COMMAND [ARGUMENT]...",
    .purpose =
        "Runs a command in a scope's view; the same as scopefs-exec, whose options it takes.",
    .options = option_rows,
    .stop_at_operand = true,
};

int command_exec(int argc, char **argv)
{
    (void)argc;
    cleanup_free char *program = runtime_program("scopefs-exec");
    argv[0] = program;
    execv(program, argv);
    fprintf(stderr, "scopefs exec: cannot run %s: %s\n", program, strerror(errno));
    return STATUS_HELPER_FAILED;
}
