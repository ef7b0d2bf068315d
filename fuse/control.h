/*
 * The control socket of a mounted view: RUNTIME/.run/MAJOR:MINOR.sock beside the run file, for the
 * owner and root alone. One connection is one command: a line of words goes in; "ok" or "error" and
 * a newline, then text, come out.
 */
#ifndef SCOPEFS_FUSE_CONTROL_H
#define SCOPEFS_FUSE_CONTROL_H

#include "scopefs/error.h"
#include "scopefs/mount_table.h"
#include "scopefs/strbuf.h"

#include <stdbool.h>

struct control {
    int socket_fd; /* -1: there is none */
    int run_fd;    /* the run file, locked */
    char *name;    /* of the run file */
};

/* Creates run file and socket of the view at `point`. -1 with *error set: the view is as good, but
 * cannot be asked for anything. */
int control_open(struct control *control, const char *point, const char *config_file,
                 struct error **error);

/* Takes one connection and answers it. The handler may change the words; 0 is "ok", and so is
 * CONTROL_KEEP, with which the connection goes on: it is returned, and then the caller's. Else -1.
 */
enum { CONTROL_KEEP = 1 };
typedef int control_handler(void *data, char *words, struct strbuf *reply);
int control_serve(struct control *control, control_handler *handle, void *data);

/* Whether the view is mounted in the supervisor's own mount namespace. */
bool control_view_is_mounted(const struct control *control);

/* Whether it is what one meets at that path. */
bool control_view_is_at(const struct control *control, const char *point);

void control_close(struct control *control);

/* The other side: sends the words to the view's supervisor. 0 for "ok", -1 for "error" or with
 * *error set when there is nobody to ask; the text behind it is in *reply. */
int control_ask(const struct mount_row *row, const char *words, struct strbuf *reply,
                struct error **error);

/* The same in two steps, so that many can be asked at once. control_send returns a descriptor, or
 * -1 with *error set; control_receive closes it, and is -1 as well when nothing came in time. */
int control_send(const struct mount_row *row, const char *words, struct error **error);
int control_receive(int fd, struct strbuf *reply);

#endif
