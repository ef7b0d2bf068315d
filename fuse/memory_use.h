/* How much memory a process uses that nobody else does: its proportional set size, see
 * proc_pid_smaps_rollup(5). The file is opened before the process is confined. */
#ifndef SCOPEFS_FUSE_MEMORY_USE_H
#define SCOPEFS_FUSE_MEMORY_USE_H

/* A descriptor for memory_use_read in this process, or -1. */
int memory_use_open(void);

/* In KiB; -1 when it cannot be told. */
long memory_use_read(int fd);

#endif
