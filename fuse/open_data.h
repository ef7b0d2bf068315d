/*
 * The open file behind a request on content: the handle's, or, where the kernel opens files without
 * asking, one that is opened for the request and closed after it.
 */
#ifndef SCOPEFS_FUSE_OPEN_DATA_H
#define SCOPEFS_FUSE_OPEN_DATA_H

#include "guard.h"
#include "handle.h"
#include "view.h"

struct open_data {
    struct view *view;
    struct node *node; /* NULL: there is no such file */
    int fd;            /* borrowed, or a negative errno */
    struct handle_hold by_handle;
    struct node_hold by_id;
    int own_fd; /* -1: it is the handle's */
};

#define cleanup_open_data __attribute__((cleanup(open_data_end)))

/* Without any lock of the view; `want` tells how it is to be opened. Finding nothing is told by
 * open_data_check. */
struct open_data open_data_find(struct view *view, fuse_ino_t id, const struct fuse_file_info *info,
                                enum want want);
void open_data_end(struct open_data *open);

/* The level check that every access needs, also by a handle from before. The caller holds
 * rules_lock. 0 or an errno. */
int open_data_check(struct open_data *open, enum want want, const char *operation);

/* Nothing more is done by it: 0, or the errno of what was deferred until a close. */
int open_data_close(struct open_data *open);

#endif
