/*
 * FUSE passthrough: the kernel reads, writes and maps the source's file itself, without asking the
 * server. Which open files do so is decided here, within the kernel's rule (fs/fuse/iomode.c): of
 * one node, either all open files use its page cache or all the same backing file.
 *
 * What the kernel does itself is checked when the file is opened, and not again: new rules do not
 * reach a file that is open, nothing of it is recorded, and no quota counts it. So it is used only
 * where the scope asks for it, and not for what a quota or the record has to see.
 */
#ifndef SCOPEFS_FUSE_PASSTHROUGH_H
#define SCOPEFS_FUSE_PASSTHROUGH_H

#include "handle.h"
#include "view.h"

#include <sys/stat.h>

struct passthrough;

/* For a scope that asks for it; NULL for others. Then, before the server is confined, and while the
 * kernel says hello. Where passthrough cannot be had the view goes without, and the log says why;
 * -1 with *error set where the scope insists. */
int passthrough_new(const struct scope *scope, struct passthrough **made, struct error **error);
void passthrough_free(struct passthrough *passthrough);
int passthrough_start(struct view *view, struct error **error);
int passthrough_negotiate(struct view *view, struct fuse_conn_info *connection,
                          struct error **error);

/* A word for `ps`: "on", "off" when the scope does not ask for it, or what is missing. */
const char *passthrough_state(const struct view *view);

/* The file is about to be told to the kernel as open: sets in *info by which way it is read and
 * written. 0, or an errno with which the open fails. */
int passthrough_open(struct view *view, uint64_t handle_id, const struct stat *attributes,
                     struct fuse_file_info *info);

/* The kernel closes the file, and the handle is about to be released. */
void passthrough_release(struct view *view, uint64_t handle_id);

#endif
