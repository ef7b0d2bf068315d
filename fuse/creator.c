#include "creator.h"

#include "budget.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

struct creator creator_of(fuse_req_t request)
{
    const struct fuse_ctx *context = fuse_req_ctx(request);
    return (struct creator){context->uid, context->gid, context->umask};
}

/* A process has one umask for all its threads, unless a thread leaves that (unshare(2), CLONE_FS).
 */
static int set_umask(const struct creator *creator)
{
    static __thread bool has_own;
    if (!has_own && unshare(CLONE_FS) < 0)
        return errno;
    has_own = true;
    umask(creator->mask & 0777);
    return 0;
}

int creator_begin(struct view *view, const struct creator *creator)
{
    int failed = budget_take_file(view->budget);
    if (failed)
        return failed;
    failed = set_umask(creator);
    if (failed)
        creator_abandon(view);
    return failed;
}

void creator_abandon(struct view *view)
{
    budget_return_file(view->budget);
}

int creator_own(const struct view *view, const struct creator *creator, int directory_fd, int fd)
{
    struct stat directory;
    if (view->owner == OWNER_DAEMON)
        return 0;
    if (fstat(directory_fd, &directory) < 0)
        return errno;
    uid_t user = creator->user;
    gid_t group = directory.st_mode & S_ISGID ? directory.st_gid : creator->group;
    if (view->owner == OWNER_DIRECTORY) {
        user = directory.st_uid;
        group = directory.st_gid;
    }
    return fchownat(fd, "", user, group, AT_EMPTY_PATH) < 0 ? errno : 0;
}
