/* What scopefs-stage2 says on its channel to scopefs-exec: SOCK_SEQPACKET messages. */
#ifndef SCOPEFS_EXEC_STAGE2_H
#define SCOPEFS_EXEC_STAGE2_H

#define STAGE2_READY   "R" /* all checks passed; the sender is about to become the command */
#define STAGE2_REFUSED "F" /* a check failed; the sender has said why and ends with status 125 */

/* With --wait, before the first of these, where it is, by the inode of its pid namespace; and when
 * the command has ended, how: bwrap tells a signal and a status over 128 alike. */
#define STAGE2_PLACE 'P'
#define STAGE2_ENDED 'E'
struct stage2_report {
    char letter;
    unsigned long pid_namespace;
    int wait_status;
};

#endif
