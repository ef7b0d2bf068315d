/*
 * The commands that the worker of one host has run, each by a scopefs-exec of its own in the host's
 * view. Owned by the host's thread, which polls their descriptors with its own; nothing here is
 * called from another one, because a command dies with the thread that started it.
 */
#ifndef SCOPEFS_MCP_HOST_JOBS_H
#define SCOPEFS_MCP_HOST_JOBS_H

#include "frame.h"
#include "scopefs/config.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* Gives a frame to the worker. */
typedef void frame_giver(void *context, const struct frame *frame, const void *bytes);

struct job;

struct job_table {
    const char *config_file, *scope_name;
    const char *view;      /* where it is mounted */
    struct config *config; /* for the rules over commands; read anew when the file has changed */
    frame_giver *give;
    void *context;
    struct job *first;
    size_t count;
    char **shells; /* that were begun, by their full names */
    size_t shell_count;
};

/* A FRAME_JOB_START, _ANSWER or _KILL. What makes no sense is answered by an end, or dropped. */
void job_table_take(struct job_table *table, const struct frame *frame, const char *bytes);

/* How many descriptors job_table_poll adds at most. */
size_t job_table_descriptors(const struct job_table *table);

/* Fills `items` with what is to be polled and returns how many; lowers *timeout_ms (-1: none) to
 * when something is due. */
size_t job_table_poll(const struct job_table *table, struct pollfd *items, int *timeout_ms);

/* Passes on what was printed, ends what is due, and tells of what has ended. */
void job_table_work(struct job_table *table);

/* Kills all commands and waits for their end; tells nobody. */
void job_table_free(struct job_table *table);

#endif
