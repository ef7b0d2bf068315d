#include "operations.h"

#include "caller.h"
#include "server.h"

/* What the kernel calls: notes whose request it is, counts it, and hands it on. Forgetting is no
 * one's request. */
#define COUNTED(name, parameters, arguments)                                                       \
    static void counted_##name parameters                                                          \
    {                                                                                              \
        caller_enter(request);                                                                     \
        operation_##name arguments;                                                                \
    }

COUNTED(lookup, (fuse_req_t request, fuse_ino_t parent, const char *name), (request, parent, name))
COUNTED(getattr, (fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info),
        (request, id, info))
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 18)
COUNTED(statx,
        (fuse_req_t request, fuse_ino_t id, int flags, int mask, struct fuse_file_info *info),
        (request, id, flags, mask, info))
#endif
COUNTED(readlink, (fuse_req_t request, fuse_ino_t id), (request, id))
COUNTED(access, (fuse_req_t request, fuse_ino_t id, int mask), (request, id, mask))
COUNTED(statfs, (fuse_req_t request, fuse_ino_t id), (request, id))
COUNTED(setattr,
        (fuse_req_t request, fuse_ino_t id, struct stat *wanted, int which,
         struct fuse_file_info *info),
        (request, id, wanted, which, info))
COUNTED(mknod, (fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, dev_t device),
        (request, parent, name, mode, device))
COUNTED(mkdir, (fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode),
        (request, parent, name, mode))
COUNTED(symlink, (fuse_req_t request, const char *link, fuse_ino_t parent, const char *name),
        (request, link, parent, name))
COUNTED(link, (fuse_req_t request, fuse_ino_t id, fuse_ino_t parent, const char *name),
        (request, id, parent, name))
COUNTED(unlink, (fuse_req_t request, fuse_ino_t parent, const char *name), (request, parent, name))
COUNTED(rmdir, (fuse_req_t request, fuse_ino_t parent, const char *name), (request, parent, name))
COUNTED(rename,
        (fuse_req_t request, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
         const char *new_name, unsigned flags),
        (request, parent, name, new_parent, new_name, flags))
COUNTED(open, (fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info), (request, id, info))
COUNTED(create,
        (fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
         struct fuse_file_info *info),
        (request, parent, name, mode, info))
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17)
COUNTED(tmpfile, (fuse_req_t request, fuse_ino_t parent, mode_t mode, struct fuse_file_info *info),
        (request, parent, mode, info))
#endif
COUNTED(flush, (fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info),
        (request, id, info))
COUNTED(release, (fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info),
        (request, id, info))
COUNTED(read,
        (fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *info),
        (request, id, size, offset, info))
COUNTED(write_buf,
        (fuse_req_t request, fuse_ino_t id, struct fuse_bufvec *from, off_t offset,
         struct fuse_file_info *info),
        (request, id, from, offset, info))
COUNTED(fsync, (fuse_req_t request, fuse_ino_t id, int data_only, struct fuse_file_info *info),
        (request, id, data_only, info))
COUNTED(fallocate,
        (fuse_req_t request, fuse_ino_t id, int mode, off_t offset, off_t length,
         struct fuse_file_info *info),
        (request, id, mode, offset, length, info))
COUNTED(lseek,
        (fuse_req_t request, fuse_ino_t id, off_t offset, int whence, struct fuse_file_info *info),
        (request, id, offset, whence, info))
COUNTED(copy_file_range,
        (fuse_req_t request, fuse_ino_t in, off_t in_offset, struct fuse_file_info *in_info,
         fuse_ino_t out, off_t out_offset, struct fuse_file_info *out_info, size_t length,
         int flags),
        (request, in, in_offset, in_info, out, out_offset, out_info, length, flags))
COUNTED(opendir, (fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info),
        (request, id, info))
COUNTED(readdir,
        (fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *info),
        (request, id, size, offset, info))
COUNTED(readdirplus,
        (fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *info),
        (request, id, size, offset, info))
COUNTED(fsyncdir, (fuse_req_t request, fuse_ino_t id, int data_only, struct fuse_file_info *info),
        (request, id, data_only, info))
COUNTED(setxattr,
        (fuse_req_t request, fuse_ino_t id, const char *name, const char *value, size_t size,
         int flags),
        (request, id, name, value, size, flags))
COUNTED(getxattr, (fuse_req_t request, fuse_ino_t id, const char *name, size_t size),
        (request, id, name, size))
COUNTED(listxattr, (fuse_req_t request, fuse_ino_t id, size_t size), (request, id, size))
COUNTED(removexattr, (fuse_req_t request, fuse_ino_t id, const char *name), (request, id, name))
COUNTED(getlk, (fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info, struct flock *lock),
        (request, id, info, lock))
COUNTED(setlk,
        (fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info, struct flock *lock,
         int sleep),
        (request, id, info, lock, sleep))
COUNTED(flock, (fuse_req_t request, fuse_ino_t id, struct fuse_file_info *info, int how),
        (request, id, info, how))

const struct fuse_lowlevel_ops operations = {
    .init = server_started,
    .lookup = counted_lookup,
    .forget = operation_forget,
    .forget_multi = operation_forget_multi,
    .getattr = counted_getattr,
    .setattr = counted_setattr,
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 18)
    .statx = counted_statx,
#endif
    .readlink = counted_readlink,
    .access = counted_access,
    .statfs = counted_statfs,
    .mknod = counted_mknod,
    .mkdir = counted_mkdir,
    .symlink = counted_symlink,
    .link = counted_link,
    .unlink = counted_unlink,
    .rmdir = counted_rmdir,
    .rename = counted_rename,
    .open = counted_open,
    .create = counted_create,
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17)
    .tmpfile = counted_tmpfile,
#endif
    .flush = counted_flush,
    .release = counted_release,
    .read = counted_read,
    .write_buf = counted_write_buf,
    .fsync = counted_fsync,
    .fallocate = counted_fallocate,
    .lseek = counted_lseek,
    .copy_file_range = counted_copy_file_range,
    .opendir = counted_opendir,
    .readdir = counted_readdir,
    .readdirplus = counted_readdirplus,
    .releasedir = operation_releasedir,
    .fsyncdir = counted_fsyncdir,
    .setxattr = counted_setxattr,
    .getxattr = counted_getxattr,
    .listxattr = counted_listxattr,
    .removexattr = counted_removexattr,
    .getlk = counted_getlk,
    .setlk = counted_setlk,
    .flock = counted_flock,
};
