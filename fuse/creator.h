/*
 * Whose a new file is, and which permissions the creator's umask takes from it. The source's file
 * system applies the umask itself, because only it knows whether a default ACL replaces it.
 */
#ifndef SCOPEFS_FUSE_CREATOR_H
#define SCOPEFS_FUSE_CREATOR_H

#include "view.h"

struct creator {
    uid_t user;
    gid_t group;
    mode_t mask;
};

/* The process behind a request. */
struct creator creator_of(fuse_req_t request);

/* Before a creating call: takes a file from the view's budget and gives this thread the creator's
 * umask. 0 or an errno. */
int creator_begin(struct view *view, const struct creator *creator);

/* Nothing was created after all. */
void creator_abandon(struct view *view);

/* Gives what was just created in the directory, open as `fd`, the ownership that the view promises.
 * Not by its name, which could be another file's by now. 0 or an errno. */
int creator_own(const struct view *view, const struct creator *creator, int directory_fd, int fd);

#endif
