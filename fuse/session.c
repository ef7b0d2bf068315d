#include "session.h"

#include "attributes.h"
#include "audit.h"
#include "budget.h"
#include "cache.h"
#include "folding.h"
#include "handle.h"
#include "init_reply.h"
#include "listings.h"
#include "lock_owner.h"
#include "lock_queue.h"
#include "node.h"
#include "operations.h"
#include "passthrough.h"
#include "run_file.h"
#include "server.h"
#include "supervisor.h"
#include "unmount.h"
#include "watch.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"
#include "scopefs/mount_table.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void give_back(void *budget, int kept_fd)
{
    budget_gone(budget, kept_fd);
}

/* Without a watch the view is as good, only asked more often. */
static struct watch *new_watch(const struct view *view, enum watching watching)
{
    cleanup_error struct error *error = NULL;
    if (watching == WATCH_NEVER)
        return NULL;
    struct watch *watch = NULL;
    if (watching == WATCH_ALWAYS || watch_is_polite(run_file_count()))
        watch = watch_new(view, &error);
    else
        error_set(&error, 0,
                  "many views are mounted; see inotify(7), max_user_instances, or write cache = "
                  "watch");
    if (!watch)
        log_warning("%s: changes are not watched, so the kernel asks again after a second: %s",
                    view->name, error->message);
    return watch;
}

/* The kernel lets root open what no mode allows, so root shall hear of a refusal from us. */
static bool leaves_opens(const struct session_plan *plan)
{
    uid_t user = plan->for_one_user ? plan->user : geteuid();
    return plan->scope->exclusive && !plan->for_all && user != 0 && plan->scope->log != LOG_ALL;
}

static void tell_of_opens(const struct session_plan *plan)
{
    if (plan->scope->exclusive && !leaves_opens(plan))
        log_info("%s: each open is asked about, because %s", plan->scope->name,
                 plan->scope->log == LOG_ALL ? "log = all records it"
                                             : "root may use the view, whom no mode refuses");
}

int session_open_view(const struct session_plan *plan, struct view *view, struct error **error)
{
    struct stat attributes;
    struct identity identity;
    *view = (struct view){
        .name = plan->scope->name,
        .policy = plan->scope->policy,
        .root_fd = plan->source_fd,
        .exact_times = !plan->scope->submounts && cache_times_are_exact(plan->source_fd),
        .may_fold = !plan->scope->ignore_case &&
                    (plan->scope->submounts || folding_is_possible(plan->source_fd)),
        .submounts = plan->scope->submounts,
        .modes_checked = plan->for_all || leaves_opens(plan),
        .lists_checked = plan->for_all,
        .files_unasked = leaves_opens(plan),
        .for_one_user = plan->for_one_user,
        .owner = plan->for_one_user                ? OWNER_DIRECTORY
                 : plan->for_all && geteuid() == 0 ? OWNER_CREATOR
                                                   : OWNER_DAEMON,
        .user = plan->user,
        .group = plan->group,
        .supervisor = getpid(),
        .in_background = plan->report_fd >= 0,
    };
    view->proc_fds = -1;
    view->memory_fd = -1;
    view->audit_fd = -1;
    view->log = plan->scope->log;
    if (passthrough_new(plan->scope, &view->passthrough, error) < 0)
        return -1;
    tell_of_opens(plan);
    cache_configure(plan->scope->cache_seconds);
    view->watch = new_watch(view, plan->scope->watching);
    int failed = attributes_read(view->root_fd, NULL, &attributes, &identity);
    if (failed)
        return error_set(error, failed, "cannot look at the source");
    view->nodes = node_tree_new(policy_root(view->policy), &identity);
    view->handles = view->nodes ? handle_table_new(view->nodes) : NULL;
    view->listings = view->handles ? listings_new() : NULL;
    view->budget = view->listings ? budget_new(plan->scope->quota, plan->scope->inodes) : NULL;
    view->lock_owners = view->budget ? lock_owners_new() : NULL;
    view->locks = view->lock_owners ? lock_queue_new() : NULL;
    if (view->locks)
        node_tree_on_close(view->nodes, give_back, view->budget);
    else
        return error_set(error, ENOMEM, "cannot set up the view");
    pthread_rwlockattr_t writers_first;
    pthread_rwlockattr_init(&writers_first);
    pthread_rwlockattr_setkind_np(&writers_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&view->move_lock, &writers_first);
    pthread_rwlock_init(&view->rules_lock, &writers_first);
    pthread_rwlockattr_destroy(&writers_first);
    return 0;
}

void session_close_view(struct view *view)
{
    lock_queue_free(view->locks);
    lock_owners_free(view->lock_owners);
    listings_free(view->listings);
    handle_table_free(view->handles);
    node_tree_free(view->nodes);
    budget_free(view->budget);
    watch_free(view->watch);
    passthrough_free(view->passthrough);
    fd_close(&view->proc_fds);
    fd_close(&view->memory_fd);
    fd_close(&view->audit_fd);
    pthread_rwlock_destroy(&view->move_lock);
    pthread_rwlock_destroy(&view->rules_lock);
}

/* The daemon's own limits must not fail an agent's write or open. */
static void lift_limits(void)
{
    struct rlimit files, unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    setrlimit(RLIMIT_FSIZE, &unlimited);
    signal(SIGXFSZ, SIG_IGN);
    umask(0);
}

/* When others than the owner get in, or files are opened without asking, the kernel checks
 * permissions, as on any file system. */
static const char *users_options(const struct session_plan *plan)
{
    return plan->for_all        ? ",allow_other,default_permissions"
           : leaves_opens(plan) ? ",default_permissions"
                                : "";
}

/* Root mounts by itself, so that the user who may use the view can be another one than root. The
 * path is named by the descriptor that was checked. Returns the FUSE descriptor. */
static int mount_as_root(const struct session_plan *plan, struct error **error)
{
    cleanup_fd int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, errno, "cannot open /dev/fuse; 'modprobe fuse' loads the driver");
    uid_t user = plan->for_one_user ? plan->user : geteuid();
    gid_t group = plan->for_one_user ? plan->group : getegid();
    cleanup_free char *options = xasprintf("fd=%d,rootmode=40000,user_id=%u,group_id=%u%s", fd,
                                           user, group, users_options(plan));
    cleanup_free char *place = xasprintf("/proc/self/fd/%d", plan->point->fd);
    if (mount(plan->scope->name, place, VIEW_TYPE, MS_NOSUID | MS_NODEV, options) < 0)
        return error_set(error, errno, "cannot mount on %s", plan->point->path);
    return fd_steal(&fd);
}

static int check_device(struct error **error)
{
    if (access("/dev/fuse", F_OK) < 0)
        return error_set(error, errno,
                         "there is no /dev/fuse; 'sudo modprobe fuse' loads the driver");
    if (access("/dev/fuse", R_OK | W_OK) < 0)
        return error_set(error, errno,
                         "no permission on /dev/fuse; 'sudo chmod 666 /dev/fuse' is what systems "
                         "ship");
    return 0;
}

static int mount_session(struct fuse_session *session, const struct session_plan *plan,
                         struct error **error)
{
    if (check_device(error) < 0)
        return -1;
    if (geteuid() != 0)
        return fuse_session_mount(session, plan->point->path) == 0
                   ? 0
                   : error_set(error, 0,
                               "fusermount3 could not mount on %s (its message is above); is the "
                               "package fuse3 installed?",
                               plan->point->path);
    int fd = mount_as_root(plan, error);
    if (fd < 0)
        return -1;
    cleanup_free char *by_descriptor = xasprintf("/dev/fd/%d", fd);
    if (fuse_session_mount(session, by_descriptor) == 0)
        return 0;
    umount2(plan->point->path, MNT_DETACH | UMOUNT_NOFOLLOW);
    return error_set(error, 0, "libfuse did not take the mount");
}

static struct fuse_session *new_session(const struct session_plan *plan, struct view *view)
{
    cleanup_free char *options = xasprintf("-ofsname=%s,subtype=scopefs%s", plan->scope->name,
                                           geteuid() == 0 ? "" : users_options(plan));
    char program[] = "scopefs";
    char *words[] = {program, options, NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(2, words);
    struct fuse_session *session =
        fuse_session_new(&arguments, &operations, sizeof(operations), view);
    fuse_opt_free_args(&arguments);
    return session;
}

/* In the child: serves, and leaves without a word to the mount, which is the supervisor's. Nothing
 * is taken apart, because the threads that listen and watch still use it; the end of the process is
 * the end of the connection, and of whoever waits in it. */
static _Noreturn void be_server(struct view *view, int channel_fd)
{
    _exit(server_run(view, channel_fd));
}

/* In the parent: keeps neither the FUSE descriptor nor the nodes, so that the server's death is the
 * connection's end. */
static int be_supervisor(const struct session_plan *plan, struct view *view, pid_t server,
                         const struct server_link *link, struct error **error)
{
    fuse_session_destroy(view->session);
    session_close_view(view);
    return supervisor_run(plan, server, link, error);
}

static int fork_server(const struct session_plan *plan, struct view *view, struct error **error)
{
    int ends[2], audit_ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_set(error, errno, "cannot make a socket pair");
    if (audit_pipe(audit_ends) < 0) {
        error_set(error, errno, "cannot make a pipe");
        fd_close(&ends[0]);
        fd_close(&ends[1]);
        return -1;
    }
    view->audit_fd = audit_ends[1];
    supervisor_block_signals();
    pid_t server = fork();
    if (server == 0) {
        fd_close(&ends[0]);
        fd_close(&audit_ends[0]);
        if (plan->report_fd >= 0)
            close(plan->report_fd);
        /* Its lock says that the supervisor lives. */
        fd_close(&plan->point->made_fd);
        be_server(view, ends[1]);
    }
    int failed = errno;
    fd_close(&ends[1]);
    if (server > 0)
        return be_supervisor(
            plan, view, server,
            &(struct server_link){.channel_fd = ends[0], .audit_fd = audit_ends[0]}, error);
    fd_close(&ends[0]);
    fd_close(&audit_ends[0]);
    unmount_view(plan->point->path, true, NULL);
    return error_set(error, failed, "cannot start the server");
}

int session_run(const struct session_plan *plan, struct error **error)
{
    struct view view;
    lift_limits();
    if (session_open_view(plan, &view, error) < 0) {
        session_close_view(&view);
        return -1;
    }
    view.session = new_session(plan, &view);
    if (!view.session || mount_session(view.session, plan, error) < 0) {
        if (view.session)
            fuse_session_destroy(view.session);
        else
            error_set(error, 0, "libfuse could not make a session");
        session_close_view(&view);
        return -1;
    }
    init_reply_prepare(&view);
    return fork_server(plan, &view, error);
}
