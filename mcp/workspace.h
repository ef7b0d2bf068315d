/*
 * Paths of the workspace. Clients give them relative to it, below its name ("/workspace/src"), or
 * as absolute paths of the view ("/src"). They are opened from the root's descriptor and never lead
 * out of it, whatever symbolic links there are; what is permitted is the view's to say, and no code
 * here knows a rule.
 */
#ifndef SCOPEFS_MCP_WORKSPACE_H
#define SCOPEFS_MCP_WORKSPACE_H

#include "call.h"

#include <sys/stat.h>
#include <sys/types.h>

/* The path relative to the root, without needless slashes and dots, "." for the root itself. New.
 * NULL, with the call failed, when ".." leads out of it. */
char *workspace_path(struct call *call, const char *given);

/* As the client is to see it: below the workspace's name. New. */
char *workspace_name(const struct call *call, const char *path);

/* openat2(2) in the root; follows links within it. An fd, or -1 with errno. */
int workspace_open(const struct call *call, const char *path, int flags, mode_t mode);

/* The same; fails the call, which needed that level. */
int workspace_need(struct call *call, const char *path, int flags, const char *level);

/* The directory in which the path's last name is, and that name (within `path`). An fd, or -1 with
 * errno. */
int workspace_parent(const struct call *call, const char *path, const char **name);

/* As lstat(2), and never out of a cache. 0, or -1 with errno. */
int workspace_status(const struct call *call, const char *path, struct stat *status);

/* One word for what it is: "file", "directory", "symlink", "other". */
const char *workspace_kind(mode_t mode);

/* The level that the caller has there: "view", "read" or "write". */
const char *workspace_level(const struct call *call, const char *path, const struct stat *status);

/* Files that are larger are not read as a whole. */
#define WORKSPACE_FILE_LIMIT (64U << 20)

/* Reads a regular file of at most `limit` bytes as it is; *status is of the moment before. 0, or -1
 * with the call failed. */
int workspace_load(struct call *call, const char *path, size_t limit, struct strbuf *bytes,
                   struct stat *status);

/* Makes the directories above the path that are missing. 0, or -1 with the call failed. */
int workspace_make_parents(struct call *call, const char *path);

/* As workspace_parent; the call fails for the root, and for what cannot be opened. */
int workspace_need_parent(struct call *call, const char *path, const char **name);

/* Writes the whole of a file: a new one, or one that is put in the place of the old one at once and
 * has its mode. Where no other file may be made beside it, and for a symbolic link, the file itself
 * is written. `expected` (or NULL) is what the file must still be. *status is of the file
 * afterwards. 0, or -1 with the call failed. */
int workspace_store(struct call *call, const char *path, const struct strbuf *bytes,
                    const struct stat *expected, struct stat *status);

/* Whether nothing has happened to the contents of a file between the two. */
bool status_is_same(const struct stat *one, const struct stat *other);

#endif
