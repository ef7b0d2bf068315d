#include "server.h"

#include "cache.h"
#include "channel.h"
#include "confine.h"
#include "handle.h"
#include "lock_owner.h"
#include "lock_queue.h"
#include "memory_use.h"
#include "node.h"
#include "passthrough.h"
#include "reload.h"
#include "watch.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Requests wait for the source's disk, so there may be more of them at work than cores. */
enum { WORKERS_AT_MOST = 32 };

/* FUSE_NOTIFY_INC_EPOCH came with this minor version of the protocol, Linux 6.16. */
enum { FIRST_WITH_EPOCH = 44 };

/* Who locks a file unlocks it with a close, which is as silent as the open: the kernel keeps locks
 * by itself then. O_TRUNC is a request of its own. Before that version of the protocol, the end of
 * a file that was created would not be told. */
static bool may_open_unasked(const struct fuse_conn_info *connection)
{
    return (connection->capable & FUSE_CAP_NO_OPEN_SUPPORT) &&
           connection->proto_minor >= FIRST_WITH_EPOCH;
}

void server_started(void *data, struct fuse_conn_info *connection)
{
    struct view *view = data;
    unsigned wanted = FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_READDIRPLUS |
                      FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_AUTO_INVAL_DATA |
                      FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
                      FUSE_CAP_DONT_MASK;
#ifdef FUSE_CAP_HANDLE_KILLPRIV_V2
    /* Without CAP_FSETID in effect, the source's file system takes setuid and setgid bits off with
     * a write. Else the kernel asks for security.capability before each. */
    wanted |= FUSE_CAP_HANDLE_KILLPRIV_V2;
#endif
    /* Where the kernel checks the permissions of many, the source's ACLs are part of them: with an
     * ACL, the group's bits of the mode are a mask. */
    if (view->lists_checked)
        wanted |= FUSE_CAP_POSIX_ACL;
    connection->want |= connection->capable & wanted;
    view->files_unasked &= may_open_unasked(connection);
    if (view->files_unasked)
        connection->want &=
            ~(unsigned)(FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS | FUSE_CAP_ATOMIC_O_TRUNC);
    cleanup_error struct error *error = NULL;
    if (passthrough_negotiate(view, connection, &error) < 0) {
        log_error("%s: %s", view->name, error->message);
        _exit(EXIT_FAILURE);
    }
    cache_can_forget_names(connection->proto_minor >= FIRST_WITH_EPOCH);
    view->opens_unasked =
        view->watch && view->log != LOG_ALL && (connection->capable & FUSE_CAP_NO_OPENDIR_SUPPORT);
    if (channel_send(view->channel_fd, MESSAGE_READY, "", 0) < 0)
        log_error("%s: the supervisor is gone", view->name);
}

static int answer_counters(struct view *view)
{
    cleanup_strbuf struct strbuf text = {0};
    strbuf_add_format(&text, "nodes=%zu handles=%zu lock_owners=%zu lock_waiters=%zu",
                      node_tree_count(view->nodes), handle_table_count(view->handles),
                      lock_owners_count(view->lock_owners), lock_queue_count(view->locks));
    strbuf_add_format(&text, " operations=%ju refusals=%ju server_memory=%ld",
                      (uintmax_t)atomic_load(&view->counters.operations),
                      (uintmax_t)atomic_load(&view->counters.refusals),
                      memory_use_read(view->memory_fd));
    strbuf_add_format(&text, " passthrough=%s", passthrough_state(view));
    return channel_send(view->channel_fd, MESSAGE_DONE, text.bytes, text.length);
}

static int answer_policy(struct view *view, const struct message *message)
{
    static const char refusal[] = "the server could not read the packed rules";
    struct policy_copy *copy = policy_unpack(message->bytes, message->size);
    if (!copy)
        return channel_send(view->channel_fd, MESSAGE_REFUSED, refusal, strlen(refusal));
    reload_policy(view, copy);
    return channel_send(view->channel_fd, MESSAGE_DONE, "", 0);
}

static int answer(struct view *view, const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_POLICY:
        return answer_policy(view, message);
    case MESSAGE_COUNTERS:
        return answer_counters(view);
    default:
        return channel_send(view->channel_fd, MESSAGE_REFUSED, "unknown request", 15);
    }
}

/* Without its supervisor a server could not be reached any more: it ends, and the view with it. */
static void *listen_to_supervisor(void *data)
{
    struct view *view = data;
    struct message message;
    while (channel_receive(view->channel_fd, &message) == 0) {
        int failed = answer(view, &message);
        message_free(&message);
        if (failed < 0)
            break;
    }
    _exit(EXIT_FAILURE);
}

/* SIGTERM ends the loop; everything else that a terminal may send is the supervisor's. */
static int set_signals(struct view *view, pid_t supervisor)
{
    sigset_t none;
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != supervisor)
        return -1;
    return fuse_set_signal_handlers(view->session);
}

static int start_listener(struct view *view)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, listen_to_supervisor, view);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        pthread_detach(thread);
    return failed;
}

__attribute__((format(printf, 2, 0))) static void log_libfuse(enum fuse_log_level level,
                                                              const char *format, va_list arguments)
{
    cleanup_free char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        return;
    text[strcspn(text, "\n")] = '\0';
    log_line(level <= FUSE_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s", text);
}

/* Descriptors that must be this process's own, not the supervisor's. */
static int set_descriptors(struct view *view, struct error **error)
{
    view->proc_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    view->memory_fd = memory_use_open();
    cleanup_fd int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (view->proc_fds < 0 || null_fd < 0)
        return error_set(error, errno, "cannot open /proc/self/fd and /dev/null");
    fuse_set_log_func(log_libfuse);
    if (view->in_background) {
        dup2(null_fd, STDIN_FILENO);
        dup2(null_fd, STDOUT_FILENO);
        dup2(log_descriptor(), STDERR_FILENO);
    }
    return 0;
}

static void *wait_for_cancel(void *unused)
{
    for (;;)
        pause();
    return unused;
}

/* libfuse ends its threads by pthread_cancel(3), at whose first use the C library opens libgcc_s
 * and, if it cannot, aborts. So it is used once while everything can still be opened. */
static int load_cancellation(struct error **error)
{
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, wait_for_cancel, NULL);
    if (failed)
        return error_set(error, failed, "cannot start a thread");
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    return 0;
}

int server_run(struct view *view, int channel_fd)
{
    cleanup_error struct error *error = NULL;
    view->channel_fd = channel_fd;
    /* Other arenas than the first grow by single pages, a system call each. */
    mallopt(M_ARENA_MAX, 1);
    if (set_signals(view, view->supervisor) != 0)
        return EXIT_FAILURE;
    if (set_descriptors(view, &error) < 0 || load_cancellation(&error) < 0 ||
        passthrough_start(view, &error) < 0 || confine_server(view, &error) < 0) {
        log_error("%s: %s", view->name, error->message);
        return EXIT_FAILURE;
    }
    if (start_listener(view) != 0 || watch_start(view) != 0)
        return EXIT_FAILURE;
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_max_threads(config, WORKERS_AT_MOST);
    int ended = fuse_session_loop_mt(view->session, config);
    fuse_loop_cfg_destroy(config);
    if (ended < 0)
        log_error("%s: serving ended: %s", view->name, strerror(-ended));
    return ended < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
