/* What libfuse cannot yet say to the kernel in its answer to INIT. */
#ifndef SCOPEFS_FUSE_INIT_REPLY_H
#define SCOPEFS_FUSE_INIT_REPLY_H

#include "view.h"

/* After the mount, before the first request. With libfuse 3.14 to 3.16 the kernel is told that a
 * write takes setuid and setgid bits off by itself (FUSE_HANDLE_KILLPRIV_V2), as later ones can be
 * asked to do; else it asks for security.capability before each write. */
void init_reply_prepare(struct view *view);

#endif
