/* Starts scopefs-exec: with the worker, or with a command that the worker wants run. */
#ifndef SCOPEFS_MCP_JOB_SPAWN_H
#define SCOPEFS_MCP_JOB_SPAWN_H

#include "job_request.h"

#include <stdbool.h>
#include <sys/types.h>

struct spawned {
    pid_t pid;   /* 0: none */
    int process; /* a pidfd */
    int output, errors, report;
};

struct spawn_place {
    const char *config_file, *scope_name;
    const char *view; /* where the scope is mounted for it */
};

/* Starts the command; `was_asked`: somebody has allowed what a rule asks about. 0, or -1 with
 * errno. */
int job_spawn(struct spawned *spawned, const struct job_request *request,
              const struct spawn_place *place, bool was_asked);

/* Starts the worker with `channel` as its standard input and output. 0, or -1 with errno. */
int worker_spawn(struct spawned *spawned, const struct spawn_place *place, int channel);

/* Ends a shell that is kept, and waits for that. */
void shell_close(const struct spawn_place *place, const char *shell);

/* Waits for the end of a process that was told to, and kills it after that time. */
void spawned_end(struct spawned *spawned, int patience_ms);

void spawned_close(struct spawned *spawned);

#endif
