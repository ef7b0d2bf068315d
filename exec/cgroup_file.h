/* The files of a control group's folder: short texts, numbers, and lines of KEY VALUE. */
#ifndef SCOPEFS_EXEC_CGROUP_FILE_H
#define SCOPEFS_EXEC_CGROUP_FILE_H

#include <sys/types.h>

/* 0, or -1 with errno. */
int cgroup_file_write(const char *folder, const char *name, const char *text);
int cgroup_file_write_number(const char *folder, const char *name, unsigned long long number);

/* The text, or NULL. The caller frees it. */
char *cgroup_file_read(const char *folder, const char *name);

/* The number in the line of that key, or (with NULL) at the start. 0 when there is none. */
unsigned long long cgroup_file_value(const char *folder, const char *name, const char *key);

/* The group of a process in the hierarchy of that controller, "" for version 2, as /proc/PID/cgroup
 * has it. NULL when there is none; the caller frees it. */
char *cgroup_file_group_of(pid_t process, const char *controller);

#endif
