/* What scopefs-stage2 says on its channel to scopefs-exec, once: a SOCK_SEQPACKET message. */
#ifndef SCOPEFS_EXEC_STAGE2_H
#define SCOPEFS_EXEC_STAGE2_H

#define STAGE2_READY   "R" /* all checks passed; the sender is about to become the command */
#define STAGE2_REFUSED "F" /* a check failed; the sender has said why and ends with status 125 */

#endif
