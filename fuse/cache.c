#include "cache.h"

#include "attributes.h"
#include "watch.h"

#include "scopefs/config.h"
#include "scopefs/log.h"

#include <errno.h>
#include <linux/fuse.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>

/* Every row is safe for the rules, because a path's level does not depend on the source: what is
 * cached can be out of date with regard to the source, never with regard to the rules. */
static const struct {
    double share; /* of the scope's time, see `cache` in scopefs.ini(5) */
    const char *reason;
} table[] = {
    [CACHED_ENTRY] = {1.0, "a change made on the host is seen within the scope's time"},
    [CACHED_ABSENCE] = {1.0, "the same for a hidden and for a missing name, so that neither the "
                             "answer nor its speed tells them apart"},
    [CACHED_ATTRIBUTES] = {1.0, "as an entry"},
    [CACHED_SHARED] = {0.0, "each name is a node of its own, so a change by one name would stay "
                            "unseen by the others; the same for what a write changes of a mode"},
    [CACHED_AGREED] = {0.0,
                       "processes that lock a file agree by it on what is beside it, as on the "
                       "journal of a database; where that is watched, the changes until then are "
                       "told before the lock is given"},
};

/* Whoever owns a file can give it a time that no nanoseconds can count. Beyond a century from now
 * all are the same here, so that the difference of two can be counted as well. */
static int64_t nanoseconds(const struct timespec *time)
{
    static const int64_t limit = 4600000000;
    int64_t seconds = time->tv_sec;
    seconds = seconds > limit ? limit : seconds < -limit ? -limit : seconds;
    return seconds * 1000000000 + time->tv_nsec;
}

/* A write takes setuid and setgid bits off, in the source. */
static bool is_shared(const struct stat *attributes)
{
    return !S_ISDIR(attributes->st_mode) &&
           (attributes->st_nlink > 1 || (attributes->st_mode & (S_ISUID | S_ISGID)));
}

int64_t cache_told_time(const struct node *directory, const struct stat *attributes)
{
    return is_shared(attributes) || (directory && node_is_agreed(directory))
               ? CACHE_TOLD_NOTHING
               : nanoseconds(&attributes->st_ctim);
}

bool cache_was_told(const struct node *node, const struct stat *attributes)
{
    return atomic_load(&node->told_ns) == nanoseconds(&attributes->st_ctim);
}

/* Set once before requests come, constant afterwards. */
static double scope_seconds = CACHE_SECONDS;

void cache_configure(double seconds)
{
    scope_seconds = seconds;
}

/* The same. */
static bool can_forget_names;

void cache_can_forget_names(bool can)
{
    can_forget_names = can;
}

/* What is watched tells of its changes. Only those that inotify(7) does not see, through a mapping
 * or by a name elsewhere, wait for the end of this time. */
enum { WATCHED_SECONDS = 60 };

static double timeout(const struct node *directory, bool noticed, enum cached_thing thing)
{
    double seconds = noticed ? WATCHED_SECONDS : scope_seconds;
    bool agreed = directory && node_is_agreed(directory);
    return table[agreed ? CACHED_AGREED : thing].share * seconds;
}

double cache_entry_timeout(const struct node *directory, struct noticed noticed)
{
    return timeout(directory, noticed.name && can_forget_names, CACHED_ENTRY);
}

double cache_absence_timeout(const struct node *directory, struct noticed noticed)
{
    return timeout(directory, noticed.name && can_forget_names, CACHED_ABSENCE);
}

double cache_found_timeout(const struct node *directory, struct noticed noticed,
                           const struct stat *attributes)
{
    if (S_ISDIR(attributes->st_mode))
        return timeout(directory, noticed.inside, CACHED_ATTRIBUTES);
    return timeout(directory, noticed.name,
                   is_shared(attributes) ? CACHED_SHARED : CACHED_ATTRIBUTES);
}

/* A file that is locked itself is asked for again with each lock. */
double cache_attribute_timeout(struct node_tree *tree, struct node *node, struct noticed noticed,
                               const struct stat *attributes)
{
    if (!atomic_load(&node->has_locked) && node_is_in_agreed(tree, node)) {
        atomic_store(&node->told_ns, CACHE_TOLD_NOTHING);
        return 0;
    }
    atomic_store(&node->told_ns, cache_told_time(NULL, attributes));
    noticed = noticed_since(noticed, node_noticed(tree, node));
    return cache_found_timeout(NULL, noticed, attributes);
}

/* File systems with FS_MGTIME, Linux 6.13. */
bool cache_times_are_exact(int fd)
{
    struct utsname system;
    struct statfs found;
    char *rest;
    if (uname(&system) < 0 || fstatfs(fd, &found) < 0)
        return false;
    unsigned long major = strtoul(system.release, &rest, 10);
    unsigned long minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;
    if (major < 6 || (major == 6 && minor < 13))
        return false;
    switch (found.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
        return true;
    default:
        return false;
    }
}

/* linux/fuse.h since 6.16, FUSE 7.44 */
enum { NOTIFY_INC_EPOCH = 8 };

/* Makes the kernel look up every name again, also those it knows to be absent. Older kernels do not
 * know it; there an absent name stays absent for as long as cache.c says. libfuse has no call for
 * it before 3.18. */
void cache_forget_names(struct view *view)
{
    struct fuse_out_header header = {.len = sizeof(header), .error = NOTIFY_INC_EPOCH};
    struct iovec vector = {.iov_base = &header, .iov_len = sizeof(header)};
    if (writev(fuse_session_fd(view->session), &vector, 1) < 0 && errno != EINVAL)
        log_warning("%s: the kernel did not take the new epoch: %s", view->name,
                    strerrorname_np(errno));
}

bool cache_forget_attributes(struct view *view, uint64_t node_id)
{
    return fuse_lowlevel_notify_inval_inode(view->session, node_id, -1, 0) != -ENOENT;
}

bool cache_forget_told(struct view *view, struct node *node)
{
    return atomic_exchange(&node->told_ns, CACHE_TOLD_NOTHING) == CACHE_TOLD_NOTHING ||
           cache_forget_attributes(view, node->id);
}

/* File times advance in steps of up to 10 ms where they are not exact: two changes within a step
 * look like one. There a version is trusted once its times are older than that. */
static struct content_version version_of(const struct view *view, const struct stat *attributes)
{
    static const int64_t settle_ns = 100 * 1000000;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct content_version version = {
        .modified_ns = nanoseconds(&attributes->st_mtim),
        .changed_ns = nanoseconds(&attributes->st_ctim),
        .size = attributes->st_size,
    };
    int64_t newest =
        version.modified_ns > version.changed_ns ? version.modified_ns : version.changed_ns;
    version.settled = view->exact_times || nanoseconds(&now) - newest > settle_ns;
    return version;
}

bool cache_keeps_pages(struct view *view, struct node *node, const struct stat *attributes)
{
    struct content_version version = version_of(view, attributes);
    return node_content_same(view->nodes, node, &version);
}

bool cache_keeps_listing(struct view *view, struct node *node, const struct stat *attributes)
{
    bool same = cache_keeps_pages(view, node, attributes);
    int64_t age_ns = node_now() - atomic_load(&node->listed_ns);
    struct noticed noticed = {.name = atomic_load(&node->watched)};
    return same && age_ns < (int64_t)(cache_entry_timeout(node, noticed) * 1e9 / 4);
}

void cache_note_listing(struct node *node)
{
    atomic_store(&node->listed_ns, node_now());
}

/* With its attributes forgotten, the kernel compares times before it uses a page. Where times are
 * not exact, the pages must go as well, and for that the kernel waits for requests on them. Not
 * more often than needed: the kernel drops the answer to a question for attributes, asked by
 * another process that reads just then, when it is told to forget them meanwhile. */
void cache_take_lock(struct view *view, struct node *node, int fd)
{
    struct stat attributes;
    struct identity identity;
    struct content_version version = {0};
    if (attributes_read(fd, NULL, &attributes, &identity) == 0)
        version = version_of(view, &attributes);
    bool is_first, is_known = node_set_locked(view->nodes, node, &version, &is_first);
    if (is_first)
        cache_forget_names(view);
    watch_catch_up(view);
    if (is_known)
        return;
    atomic_store(&node->told_ns, CACHE_TOLD_NOTHING);
    if (view->exact_times)
        cache_forget_attributes(view, node->id);
    else
        fuse_lowlevel_notify_inval_inode(view->session, node->id, 0, 0);
}
