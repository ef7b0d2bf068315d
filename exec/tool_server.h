/*
 * The worker of scopefs-mcp(1) runs in the sandbox of a scope like a command, but it is a program
 * of this project, not of the agent: what the scope says of commands (their time, environment,
 * rules, network, root file system) is not meant for it. Its limits are the scope's.
 */
#ifndef SCOPEFS_EXEC_TOOL_SERVER_H
#define SCOPEFS_EXEC_TOOL_SERVER_H

#include "scopefs/config.h"

/* Takes out of a copy of the scope's settings what is meant for commands. */
void tool_server_settings(struct exec_settings *settings);

/* The path of the worker: beside the running program, else where it is installed. Caller frees. */
char *tool_server_path(void);

/* What it is started as; NULL-terminated. */
extern char *const tool_server_command[];

#endif
