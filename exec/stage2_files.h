/* What a command may do with the files that it is handed as standard input, output and error. */
#ifndef SCOPEFS_EXEC_STAGE2_FILES_H
#define SCOPEFS_EXEC_STAGE2_FILES_H

/* By /proc/self/fd a file that is open can be opened anew. From now on that gives no more than the
 * descriptor does. By Landlock, Linux 6.2; older kernels let it be. `program`,
 * if not -1, can still be run. 0, or -1 with errno set. */
int stage2_files_hold(int program);

#endif
