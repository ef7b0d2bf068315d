#include "cache.h"

#include <time.h>

/* Every row is safe for the rules, because a path's level does not depend on the source: what is
 * cached can be out of date with regard to the source, never with regard to the rules. */
static const struct {
    double seconds;
    const char *reason;
} table[] = {
    [CACHED_ENTRY] = {1.0, "a change made on the host is seen within a second"},
    [CACHED_ABSENCE] = {1.0, "the same for a hidden and for a missing name, so that neither the "
                             "answer nor its speed tells them apart"},
    [CACHED_ATTRIBUTES] = {1.0, "as an entry"},
    [CACHED_SHARED] = {0.0, "each name is a node of its own, so a change by one name would stay "
                            "unseen by the others"},
};

double cache_timeout(enum cached_thing thing)
{
    return table[thing].seconds;
}

double cache_attribute_timeout(const struct stat *attributes)
{
    bool shared = !S_ISDIR(attributes->st_mode) && attributes->st_nlink > 1;
    return cache_timeout(shared ? CACHED_SHARED : CACHED_ATTRIBUTES);
}

void cache_forget_attributes(struct view *view, uint64_t node_id)
{
    fuse_lowlevel_notify_inval_inode(view->session, node_id, -1, 0);
}

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* File times advance in steps of up to 10 ms (kernels without multigrain timestamps): two changes
 * within a step look like one. A version is trusted once its times are older than that. */
bool cache_keeps_pages(struct node_tree *tree, struct node *node, const struct stat *attributes)
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
    version.settled = nanoseconds(&now) - newest > settle_ns;
    return node_content_same(tree, node, &version);
}
