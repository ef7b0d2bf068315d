/* The requests of the kernel, by what they act on. Each file holds one group; operations.c is the
 * table. Signatures are those of struct fuse_lowlevel_ops. */
#ifndef SCOPEFS_FUSE_OPERATIONS_H
#define SCOPEFS_FUSE_OPERATIONS_H

#include "view.h"

extern const struct fuse_lowlevel_ops operations;

/* operation_look.c: finding and reading about things */
void operation_lookup(fuse_req_t request, fuse_ino_t parent, const char *name);
void operation_forget(fuse_req_t request, fuse_ino_t id, uint64_t lookups);
void operation_forget_multi(fuse_req_t request, size_t count, struct fuse_forget_data *forgets);
void operation_getattr(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info);
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 18)
void operation_statx(fuse_req_t request, fuse_ino_t id, int flags, int mask,
                     struct fuse_file_info *info);
#endif
void operation_readlink(fuse_req_t request, fuse_ino_t id);
void operation_access(fuse_req_t request, fuse_ino_t id, int mask);
void operation_statfs(fuse_req_t request, fuse_ino_t id);

/* operation_setattr.c */
void operation_setattr(fuse_req_t request, fuse_ino_t id, struct stat *wanted, int which,
                       struct fuse_file_info *info);

/* operation_name.c: making and removing names */
void operation_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                     dev_t device);
void operation_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode);
void operation_symlink(fuse_req_t request, const char *link, fuse_ino_t parent, const char *name);
void operation_link(fuse_req_t request, fuse_ino_t id, fuse_ino_t parent, const char *name);
void operation_unlink(fuse_req_t request, fuse_ino_t parent, const char *name);
void operation_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name);

/* operation_rename.c */
void operation_rename(fuse_req_t request, fuse_ino_t parent, const char *name,
                      fuse_ino_t new_parent, const char *new_name, unsigned flags);

/* operation_open.c: from a name or a node to a handle, and back */
void operation_open(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info);
void operation_create(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                      struct fuse_file_info *info);
void operation_flush(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info);
void operation_release(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info);

/* The end of a handle that passthrough_open was asked about. */
void release_file(struct view *view, uint64_t handle_id);

#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17)
/* operation_nameless.c */
void operation_tmpfile(fuse_req_t request, fuse_ino_t parent, mode_t mode,
                       struct fuse_file_info *info);
#endif

/* operation_data.c: the content of an open file */
void operation_read(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset,
                    struct fuse_file_info *info);
void operation_write_buf(fuse_req_t request, fuse_ino_t id, struct fuse_bufvec *from, off_t offset,
                         struct fuse_file_info *info);
void operation_fsync(fuse_req_t request, fuse_ino_t id, int data_only, struct fuse_file_info *info);
void operation_fallocate(fuse_req_t request, fuse_ino_t id, int mode, off_t offset, off_t length,
                         struct fuse_file_info *info);
void operation_lseek(fuse_req_t request, fuse_ino_t id, off_t offset, int whence,
                     struct fuse_file_info *info);
void operation_copy_file_range(fuse_req_t request, fuse_ino_t in, off_t in_offset,
                               struct fuse_file_info *in_info, fuse_ino_t out, off_t out_offset,
                               struct fuse_file_info *out_info, size_t length, int flags);

/* operation_directory.c */
void operation_opendir(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info);
void operation_releasedir(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info);
void operation_readdir(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset,
                       struct fuse_file_info *info);
void operation_readdirplus(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset,
                           struct fuse_file_info *info);
void operation_fsyncdir(fuse_req_t request, fuse_ino_t id, int data_only,
                        struct fuse_file_info *info);

/* operation_xattr.c */
void operation_setxattr(fuse_req_t request, fuse_ino_t id, const char *name, const char *value,
                        size_t size, int flags);
void operation_getxattr(fuse_req_t request, fuse_ino_t id, const char *name, size_t size);
void operation_listxattr(fuse_req_t request, fuse_ino_t id, size_t size);
void operation_removexattr(fuse_req_t request, fuse_ino_t id, const char *name);

/* operation_lock.c */
void operation_getlk(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info,
                     struct flock *lock);
void operation_setlk(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info,
                     struct flock *lock, int sleep);
void operation_flock(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info, int how);

#endif
