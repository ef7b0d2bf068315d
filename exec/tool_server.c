#include "tool_server.h"

#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <unistd.h>

static char worker_name[] = "scopefs-mcp-worker";

char *const tool_server_command[] = {worker_name, NULL};

void tool_server_settings(struct exec_settings *settings)
{
    settings->network = NETWORK_NONE;
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
    cleanup_free char *beside = runtime_program(worker_name);
    if (access(beside, X_OK) == 0)
        return steal_pointer(beside);
    return xasprintf("%s/%s", SCOPEFS_LIBEXECDIR, worker_name);
}
