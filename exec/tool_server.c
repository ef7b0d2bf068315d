#include "tool_server.h"

#include "process.h"

#include <stddef.h>

static char worker_name[] = "scopefs-mcp-worker";

char *const tool_server_command[] = {worker_name, NULL};

void tool_server_settings(struct exec_settings *settings)
{
    settings->network = NETWORK_NONE;
    settings->network_pattern_count = 0;
    settings->timeout_ms = 0;
    settings->env_count = 0;
    settings->bind_count = 0;
    settings->rootfs = NULL;
    settings->command_rule_count = 0;
    /* What cannot be held is refused where a command is to run. */
    settings->limits.strict = false;
}

char *tool_server_path(void)
{
    return process_own_program(worker_name);
}
