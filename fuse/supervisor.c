#include "supervisor.h"

#include "audit_log.h"
#include "channel.h"
#include "control.h"
#include "elsewhere.h"
#include "expiry.h"
#include "run_file.h"
#include "service_notify.h"
#include "status.h"
#include "unmount.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"
#include "scopefs/policy_pack.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct supervisor {
    const struct session_plan *plan;
    pid_t server;
    int channel_fd, signal_fd;
    struct control control;
    struct audit_log audit;
    struct expiry expiry;
    struct policy_file policy_file;
    bool ready;
};

static void fill_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, SIGCHLD);
}

void supervisor_block_signals(void)
{
    sigset_t signals;
    fill_signals(&signals);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* Sends a request to the server and waits for its answer, which becomes the reply. */
static int ask_server(struct supervisor *supervisor, enum message_kind kind, const void *bytes,
                      size_t size, struct strbuf *reply)
{
    struct message answer;
    if (channel_send(supervisor->channel_fd, kind, bytes, size) < 0 ||
        channel_receive(supervisor->channel_fd, &answer) < 0) {
        strbuf_add_text(reply, "the server of the view is gone");
        return -1;
    }
    int result = answer.kind == MESSAGE_DONE ? 0 : -1;
    strbuf_add(reply, answer.bytes, answer.size);
    message_free(&answer);
    return result;
}

static void add_diagnostics(struct strbuf *reply, const struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct diagnostic *item = &diagnostics->items[i];
        strbuf_add_format(reply, "%s%s:%u:%u: %s: %s", i ? "\n" : "", item->file, item->line,
                          item->column, item->severity == SEVERITY_ERROR ? "error" : "warning",
                          item->message);
    }
}

/* Only rules can change under a mounted view. */
static const struct scope *find_scope(const struct supervisor *supervisor,
                                      const struct config *config, struct strbuf *reply)
{
    cleanup_error struct error *error = NULL;
    const struct scope *now = supervisor->plan->scope;
    const struct scope *scope = config_scope(config, now->name, &error);
    if (!scope) {
        strbuf_add_text(reply, error->message);
        return NULL;
    }
    if (strcmp(scope->source, now->source) != 0 || scope->submounts != now->submounts ||
        scope->ignore_case != now->ignore_case) {
        strbuf_add_format(reply,
                          "scope %s has another source, submounts or case there; only rules change "
                          "under a mounted view: 'scopefs umount %s' and mount it again",
                          now->name, now->name);
        return NULL;
    }
    return scope;
}

static void note_policy_file(struct supervisor *supervisor, const char *file, uint64_t digest)
{
    char *copy = file ? xstrdup(file) : NULL;
    free(supervisor->policy_file.path);
    supervisor->policy_file = (struct policy_file){.path = copy, .digest = digest};
}

/* Reads the file (NULL: the one the view was mounted from) and has the server enforce its rules.
 * Until all of that has worked the old ones stay. */
static int reload(struct supervisor *supervisor, const char *file, struct strbuf *reply)
{
    if (!file)
        file = supervisor->plan->config_file;
    if (!file) {
        strbuf_add_text(reply, "the view was mounted without a configuration file; name one by -c");
        return -1;
    }
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    struct config *config = config_load(file, &diagnostics);
    if (!config) {
        add_diagnostics(reply, &diagnostics);
        return -1;
    }
    int result = -1;
    const struct scope *scope = find_scope(supervisor, config, reply);
    if (scope) {
        cleanup_strbuf struct strbuf packed = {0};
        policy_pack(scope->policy, &packed);
        result = ask_server(supervisor, MESSAGE_POLICY, packed.bytes, packed.length, reply);
    }
    if (result == 0)
        note_policy_file(supervisor, file, config->digest);
    if (result == 0)
        log_info("%s: rules reloaded from %s", supervisor->plan->scope->name, file);
    config_free(config);
    return result;
}

static int tell_status(struct supervisor *supervisor, struct strbuf *reply)
{
    cleanup_strbuf struct strbuf counters = {0};
    if (ask_server(supervisor, MESSAGE_COUNTERS, "", 0, &counters) < 0) {
        strbuf_add(reply, counters.bytes, counters.length);
        return -1;
    }
    status_write(reply, supervisor->plan->scope->source, supervisor->server,
                 &supervisor->policy_file, counters.bytes);
    return 0;
}

/* The view was unmounted, but a copy of the mount in another namespace keeps it. */
static int end_unmounted(struct supervisor *supervisor, struct strbuf *reply)
{
    if (control_view_is_mounted(&supervisor->control)) {
        strbuf_add_text(reply, "the view is still mounted");
        return -1;
    }
    return kill(supervisor->server, SIGTERM);
}

static int run_command(void *data, char *words, struct strbuf *reply)
{
    struct supervisor *supervisor = data;
    char *argument = strchr(words, ' ');
    if (argument)
        *argument++ = '\0';
    if (strcmp(words, "reload") == 0)
        return reload(supervisor, argument, reply);
    if (strcmp(words, "status") == 0)
        return tell_status(supervisor, reply);
    if (strcmp(words, "counters") == 0)
        return ask_server(supervisor, MESSAGE_COUNTERS, "", 0, reply);
    if (strcmp(words, "end") == 0)
        return end_unmounted(supervisor, reply);
    if (strcmp(words, "follow") == 0 && !audit_feeds_are_full(&supervisor->audit.feeds))
        return CONTROL_KEEP;
    strbuf_add_format(reply, "unknown command '%s'", words);
    return -1;
}

/* What is at the mount point may be another's: a new view, or what was there before. */
static int unmount_own(const struct supervisor *supervisor, bool lazy)
{
    const char *point = supervisor->plan->point->path;
    return control_view_is_at(&supervisor->control, point) ? unmount_view(point, lazy, NULL) : -1;
}

/* First without force, so that the kernel writes back what is dirty while the server still serves.
 * A sandbox may have the view as well, and go on. */
static void stop(struct supervisor *supervisor)
{
    service_notify("STOPPING=1");
    unmount_own(supervisor, false);
    kill(supervisor->server, SIGTERM);
}

static void take_signal(struct supervisor *supervisor)
{
    struct signalfd_siginfo got;
    cleanup_strbuf struct strbuf reply = {0};
    if (read(supervisor->signal_fd, &got, sizeof(got)) != sizeof(got))
        return;
    if (got.ssi_signo == SIGTERM || got.ssi_signo == SIGINT)
        stop(supervisor);
    else if (got.ssi_signo == SIGHUP && reload(supervisor, NULL, &reply) < 0)
        log_error("%s: the rules stay as they were: %s", supervisor->plan->scope->name,
                  reply.bytes);
}

/* The server said something without being asked: that it is ready. */
static void take_message(struct supervisor *supervisor)
{
    struct message message;
    cleanup_error struct error *error = NULL;
    if (channel_receive(supervisor->channel_fd, &message) < 0)
        return;
    if (message.kind == MESSAGE_READY && !supervisor->ready) {
        supervisor->ready = true;
        if (control_open(&supervisor->control, supervisor->plan->point->path,
                         supervisor->plan->config_file, &error) < 0)
            log_warning("%s: %s", supervisor->plan->scope->name, error->message);
        supervisor->plan->on_start(supervisor->plan->on_start_data);
    }
    message_free(&message);
}

static int timeout_of(const struct supervisor *supervisor)
{
    int audit = audit_log_timeout(&supervisor->audit);
    int expiry = supervisor->ready ? expiry_timeout(&supervisor->expiry) : -1;
    if (audit < 0 || expiry < 0)
        return audit < 0 ? expiry : audit;
    return audit < expiry ? audit : expiry;
}

static bool is_used_elsewhere(const struct supervisor *supervisor)
{
    cleanup_mount_table struct mount_table table = {0};
    cleanup_elsewhere struct elsewhere elsewhere = {0};
    cleanup_strbuf struct strbuf users = {0};
    if (mount_table_read(&table, NULL) < 0)
        return true;
    const struct mount_row *row = mount_table_at(&table, supervisor->plan->point->path);
    elsewhere_read(&elsewhere);
    return row && elsewhere_is_used(&elsewhere, row, &users);
}

/* A view in use is left alone: it stays mounted, and is looked at again later. */
static void end_when_over(struct supervisor *supervisor)
{
    cleanup_strbuf struct strbuf counters = {0};
    if (!supervisor->ready || !expiry_is_due(&supervisor->expiry) ||
        ask_server(supervisor, MESSAGE_COUNTERS, "", 0, &counters) < 0)
        return;
    const char *found = strstr(counters.bytes, "operations=");
    unsigned long long operations = found ? strtoull(found + 11, NULL, 10) : 0;
    if (!expiry_look(&supervisor->expiry, operations) || is_used_elsewhere(supervisor) ||
        unmount_own(supervisor, false) < 0)
        return;
    log_info("%s: unmounted, because its time is over", supervisor->plan->scope->name);
    kill(supervisor->server, SIGTERM);
}

/* True, with its status, once the server has ended. */
static bool has_ended(const struct supervisor *supervisor, int *status)
{
    return waitpid(supervisor->server, status, WNOHANG) == supervisor->server;
}

static void serve_owner(struct supervisor *supervisor)
{
    int follower = control_serve(&supervisor->control, run_command, supervisor);
    if (follower >= 0)
        audit_feeds_add(&supervisor->audit.feeds, follower);
}

static void finish_feeds(struct supervisor *supervisor, const struct pollfd *ready)
{
    if (!audit_feeds_have_ended(&supervisor->audit.feeds, ready))
        return;
    audit_log_catch_up(&supervisor->audit);
    audit_feeds_finish(&supervisor->audit.feeds, ready);
}

static int watch(struct supervisor *supervisor)
{
    int status = 0;
    while (!has_ended(supervisor, &status)) {
        struct pollfd wanted[4 + AUDIT_FEEDS] = {
            {.fd = supervisor->signal_fd, .events = POLLIN},
            {.fd = supervisor->channel_fd, .events = POLLIN},
            {.fd = supervisor->control.socket_fd, .events = POLLIN},
            {.fd = audit_log_descriptor(&supervisor->audit), .events = POLLIN},
        };
        audit_feeds_want(&supervisor->audit.feeds, wanted + 4);
        if (poll(wanted, 4 + AUDIT_FEEDS, timeout_of(supervisor)) < 0)
            continue;
        if (wanted[0].revents)
            take_signal(supervisor);
        if (wanted[1].revents & POLLIN)
            take_message(supervisor);
        else if (wanted[1].revents) /* closed: SIGCHLD comes */
            fd_close(&supervisor->channel_fd);
        finish_feeds(supervisor, wanted + 4);
        audit_log_run(&supervisor->audit, wanted[3].revents != 0);
        /* Last: a new follower is not among those that were polled. */
        if (wanted[2].revents)
            serve_owner(supervisor);
        end_when_over(supervisor);
    }
    return status;
}

int supervisor_run(const struct session_plan *plan, pid_t server, const struct server_link *link,
                   struct error **error)
{
    sigset_t signals;
    fill_signals(&signals);
    struct supervisor supervisor = {
        .plan = plan,
        .server = server,
        .channel_fd = link->channel_fd,
        .signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK),
        .control = {.socket_fd = -1, .run_fd = -1},
    };
    note_policy_file(&supervisor, plan->config_file, plan->config_digest);
    /* A service manager passes on what a view in the foreground says: not twice. */
    audit_log_open(&supervisor.audit, plan->scope->name, plan->scope->log_targets, link->audit_fd,
                   plan->report_fd < 0 && !(plan->scope->log_targets & ~(unsigned)LOG_TO_FILE));
    expiry_start(&supervisor.expiry, plan->scope->expires_ms, plan->scope->idle_ms);
    int status = watch(&supervisor);
    audit_log_close(&supervisor.audit);
    note_policy_file(&supervisor, NULL, 0);
    bool killed = WIFSIGNALED(status);
    if (killed)
        log_error("%s: the server was ended by signal %d; the view answers ENOTCONN until it is "
                  "mounted again",
                  plan->scope->name, WTERMSIG(status));
    else
        unmount_own(&supervisor, true);
    /* Whoever waits for the run file's lock may mount there at once. */
    mount_point_remove(plan->point);
    control_close(&supervisor.control);
    fd_close(&supervisor.channel_fd);
    fd_close(&supervisor.signal_fd);
    if (!supervisor.ready)
        return error_set(error, 0, "the server of the view ended before it was ready; see the log");
    return 0;
}
