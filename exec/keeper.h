/*
 * A process that takes a private view away when its owner is done or dead: also after SIGKILL, by
 * which agent frameworks like to end what takes too long, no mount and no daemon stays behind.
 */
#ifndef SCOPEFS_EXEC_KEEPER_H
#define SCOPEFS_EXEC_KEEPER_H

#include "scopefs/error.h"

#include <sys/types.h>

struct keeper {
    pid_t process; /* 0: none */
    int lifeline;  /* it acts when the last copy of this is closed */
};

/* Starts a keeper of the folder `path`. To be called before anything is mounted there. 0, or -1
 * with *error set. */
int keeper_start(struct keeper *keeper, const char *path, struct error **error);

/* Has the view unmounted and the folder removed, and waits for that. 0, or -1 with *error set; the
 * keeper has then said the cause on standard error. */
int keeper_finish(struct keeper *keeper, struct error **error);

#endif
