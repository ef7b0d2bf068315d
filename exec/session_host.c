#include "session_host.h"

#include "clock.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "session_callers.h"
#include "session_folder.h"
#include "session_sandbox.h"
#include "session_settings.h"
#include "session_stop.h"
#include "session_usage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The first callers by number; the sources before them are the session's own. */
enum {
    SOURCE_SIGNALS,
    SOURCE_CHANNEL,
    SOURCE_OBSERVER,
    SOURCE_NETWORK,
    SOURCE_MOUNTS,
    SOURCE_TERMINAL,
    SOURCE_LISTENER,
    SOURCES
};

struct host {
    const struct session_host_setup *setup;
    struct session_name session;
    uint64_t settings;
    struct session_sandbox sandbox;
    struct session_callers callers;
    struct session_caller *running; /* or NULL */
    struct process_set spared;      /* children that the shell had before the call */
    struct session_stop stop;
    struct session_usage before; /* what the session had used */
    int64_t call_started;
    int folder, listener, mounts;
    time_t started, used;
    int64_t idle_since;
    uint64_t calls;
    bool awaits_go; /* the running call has not begun yet */
    bool is_ending;
    int64_t kill_at; /* when it is ending */
    char end_text[512];
};

/* --- The end --- */

static void end(struct host *host, const char *text)
{
    if (host->is_ending)
        return;
    host->is_ending = true;
    snprintf(host->end_text, sizeof(host->end_text), "%s", text);
    /* Whoever comes from now on starts another one. */
    if (host->listener >= 0)
        session_unlink(host->folder, &host->session);
    fd_close(&host->sandbox.shell.script);
    unsigned long grace = host->setup->scope->exec.kill_after_ms;
    host->kill_at = grace ? clock_deadline(grace) : clock_us();
    if (!host->sandbox.is_running)
        return;
    process_signal_descendants(host->sandbox.sandbox.bwrap, SIGTERM);
    /* A shell at a terminal waits for nothing else. */
    if (host->setup->is_terminal)
        process_signal_descendants(host->sandbox.sandbox.bwrap, SIGHUP);
}

/* --- Calls --- */

static int status_of(const struct host *host, int status)
{
    enum { INTERRUPTED = 128 + SIGINT, TIMED_OUT = 124 };
    if (host->stop.cause == STOP_TIME)
        return TIMED_OUT;
    return host->stop.cause == STOP_SIGNAL && status == INTERRUPTED ? 128 + host->stop.signal
                                                                    : status;
}

static void finish_call(struct host *host, int status, bool has_ended, const char *text)
{
    struct session_message message = {
        .kind = SESSION_FINISHED,
        .number = status_of(host, status),
        .flags = (host->stop.cause == STOP_TIME ? SESSION_HAS_TIMED_OUT : 0U) |
                 (has_ended ? SESSION_HAS_ENDED : 0U) | (host->calls == 1 ? SESSION_IS_NEW : 0U),
    };
    if (host->running->call.is_followed) {
        struct session_usage now;
        session_usage_read(&now, &host->sandbox);
        session_usage_since(&message.result, &host->before, &now);
    }
    message.result.duration_us = (uint64_t)(clock_us() - host->call_started);
    snprintf(message.text, sizeof(message.text), "%s", text ? text : "");
    struct session_caller *caller = host->running;
    host->running = NULL;
    host->awaits_go = false;
    host->idle_since = clock_us();
    host->used = time(NULL);
    session_stop_reset(&host->stop);
    process_set_free(&host->spared);
    session_caller_dismiss(caller, &message);
}

static void begin_call(struct host *host)
{
    struct session_shell *shell = &host->sandbox.shell;
    host->awaits_go = false;
    host->call_started = clock_us();
    if (session_shell_call(shell, host->running->fds) < 0)
        end(host, "the shell of the session takes in nothing any more");
    /* It is held up at the gate, and has begun nothing yet. */
    process_list_children_of(shell->process, &host->spared);
}

static void tell_of_turn(struct host *host)
{
    char path[64];
    struct stat place;
    const struct view_mount *view = &host->sandbox.view;
    struct session_message message = {
        .kind = SESSION_STARTED,
        .place = {.view_major = view->device_major, .view_minor = view->device_minor},
    };
    snprintf(path, sizeof(path), "/proc/%d/ns/pid", host->sandbox.shell.process);
    if (stat(path, &place) == 0)
        message.place.pid_namespace = place.st_ino;
    session_usage_read(&host->before, &host->sandbox);
    host->call_started = clock_us();
    host->awaits_go = true;
    session_send(host->running->socket, &message, NULL, 0);
}

static void leave_terminal(struct host *host)
{
    fd_close(&host->running->socket);
    host->running = NULL;
    host->idle_since = clock_us();
    host->used = time(NULL);
}

static void give_terminal(struct host *host)
{
    if (session_terminal_give(&host->sandbox.terminal, host->running) < 0)
        leave_terminal(host);
}

static void start_next(struct host *host)
{
    if (host->running || host->is_ending || host->sandbox.shell.state != SHELL_IDLE)
        return;
    host->running = session_callers_next(&host->callers);
    if (!host->running)
        return;
    host->calls++;
    if (host->setup->is_terminal)
        give_terminal(host);
    else if (host->running->call.is_followed)
        tell_of_turn(host);
    else
        begin_call(host);
}

/* A view that the scope shares with others is told of new rules by `scopefs reload`. One of the
 * session's own nobody would tell. */
static bool is_outdated(const struct host *host, const struct session_call *call)
{
    return call->settings != host->settings || (host->sandbox.view.keeper.process > 0 &&
                                                call->config_digest != host->setup->config_digest);
}

static void take_call(struct host *host, struct session_caller *caller,
                      const struct session_call *call, bool is_terminal)
{
    const char *refusal = NULL;
    if (is_terminal != host->setup->is_terminal)
        refusal = is_terminal ? "it has no terminal, but runs commands"
                              : "it has a terminal, and is reached by --tty alone";
    else if (is_terminal && host->running)
        refusal = "its terminal is in use";
    if (refusal) {
        session_caller_answer(caller, SESSION_REFUSED, 0, 0, refusal);
        return;
    }
    if (is_outdated(host, call)) {
        session_caller_answer(caller, SESSION_AGAIN, 0, 0,
                              "the scope has changed since it was started");
        end(host, "the scope has changed since it was started");
        return;
    }
    caller->has_call = true;
    caller->call = *call;
    caller->deadline = clock_deadline((unsigned long)call->timeout_ms);
}

static void tell_state(const struct host *host, struct session_caller *caller)
{
    struct session_message message = {
        .kind = SESSION_STATE,
        .flags = host->running ? SESSION_IS_BUSY : 0U,
        .state = {.started = host->started,
                  .used = host->used,
                  .calls = host->calls,
                  .process = getpid()},
    };
    for (size_t i = 0; i < host->callers.count; i++)
        if (host->callers.items[i]->has_call && host->callers.items[i] != host->running)
            message.state.waiting++;
    snprintf(message.text, sizeof(message.text), "%s", host->setup->config_file);
    session_caller_dismiss(caller, &message);
}

/* Ends the running call, for one of the causes. */
static void stop_call(struct host *host, enum session_stop_cause cause, int number)
{
    unsigned long kill_after_ms = (unsigned long)host->running->call.kill_after_ms;
    session_stop_begin(&host->stop, cause, number, kill_after_ms);
    if (host->awaits_go)
        finish_call(host, 128 + number, false, NULL);
}

static void pass_signal_on(struct host *host, struct session_caller *caller, int number)
{
    if (number <= 0 || number >= NSIG)
        return;
    if (caller != host->running) {
        session_caller_answer(caller, SESSION_FINISHED, 128 + number, 0, NULL);
    } else if (number == SIGUSR1 || number == SIGUSR2) {
        __attribute__((cleanup(process_set_free))) struct process_set signalled = {0};
        process_signal_new(host->sandbox.shell.process, &host->spared, &signalled, number);
    } else {
        stop_call(host, STOP_SIGNAL, number);
    }
}

static void listen_to(struct host *host, struct session_caller *caller)
{
    struct session_message message;
    int fds[SESSION_DESCRIPTORS];
    if (!session_receive(caller->socket, &message, fds, SESSION_DESCRIPTORS)) {
        if (errno == EAGAIN)
            return;
        fd_close(&caller->socket);
        if (caller == host->running && host->setup->is_terminal)
            leave_terminal(host);
        else if (caller == host->running)
            stop_call(host, STOP_CALLER_GONE, SIGTERM);
        return;
    }
    bool is_call = message.kind == SESSION_CALL && !caller->has_call;
    for (size_t i = 0; i < SESSION_DESCRIPTORS; i++) {
        is_call = is_call && fds[i] >= 0;
        if (is_call)
            caller->fds[i] = fds[i];
        else
            fd_close(&fds[i]);
    }
    if (is_call) {
        take_call(host, caller, &message.call, false);
    } else if (message.kind == SESSION_ATTACH && !caller->has_call) {
        take_call(host, caller, &message.call, true);
    } else if (message.kind == SESSION_GO && caller == host->running && host->awaits_go) {
        begin_call(host);
    } else if (message.kind == SESSION_SIGNAL) {
        pass_signal_on(host, caller, message.number);
    } else if (message.kind == SESSION_LOOK) {
        tell_state(host, caller);
    } else if (message.kind == SESSION_CLOSE) {
        caller->waits_for_end = true;
        end(host, "it was closed");
    } else {
        fd_close(&caller->socket);
    }
}

/* --- Events --- */

static void attend_shell(struct host *host)
{
    int status = session_shell_attend(&host->sandbox.shell);
    if (status >= 0 && host->running)
        finish_call(host, status, host->is_ending, host->end_text);
}

/* What the sandbox's start had to say is the first caller's to read. It is kept until then: what
 * stays behind the start must not hold his standard error. */
static void pass_words_on(struct host *host)
{
    struct session_message message = {.kind = SESSION_SAYS};
    const struct session_caller *first = session_callers_next(&host->callers);
    ssize_t size = pread(STDERR_FILENO, message.text, sizeof(message.text) - 1, 0);
    if (size > 0 && first)
        session_send(first->socket, &message, NULL, 0);
}

static void hear_sandbox(struct host *host)
{
    cleanup_error struct error *error = NULL;
    int result = session_sandbox_hear(&host->sandbox, &error);
    if (result > 0) {
        pass_words_on(host);
        dup2(host->sandbox.shell.null, STDERR_FILENO);
        host->idle_since = clock_us();
    } else if (result < 0) {
        end(host, error->message);
    }
}

static void read_signals(struct host *host)
{
    int number = supervisor_interrupted(&host->sandbox.supervisor);
    session_sandbox_reap(&host->sandbox);
    if (number)
        end(host, "its process was told to end");
}

static void check_view(struct host *host)
{
    if (!session_sandbox_has_view(&host->sandbox))
        end(host, "its view was unmounted");
}

/* --- Time --- */

static int64_t idle_deadline(const struct host *host)
{
    unsigned long idle_ms = host->setup->scope->exec.session_idle_ms;
    if (host->running || idle_ms == 0)
        return CLOCK_NEVER;
    return host->idle_since + (int64_t)idle_ms * 1000;
}

static int64_t next_deadline(const struct host *host)
{
    int64_t next = host->is_ending ? host->kill_at : idle_deadline(host);
    if (host->stop.next_round < next)
        next = host->stop.next_round;
    for (size_t i = 0; i < host->callers.count; i++)
        if (host->callers.items[i]->deadline < next)
            next = host->callers.items[i]->deadline;
    return next;
}

static void act_on_call_deadlines(struct host *host)
{
    for (size_t i = 0; i < host->callers.count; i++) {
        struct session_caller *caller = host->callers.items[i];
        if (caller->deadline > clock_us())
            continue;
        caller->deadline = CLOCK_NEVER;
        if (caller == host->running)
            stop_call(host, STOP_TIME, SIGTERM);
        else
            session_caller_answer(caller, SESSION_FINISHED, 124, SESSION_HAS_TIMED_OUT,
                                  "its time was over before the session had a turn for it");
    }
}

static void act_on_time(struct host *host)
{
    act_on_call_deadlines(host);
    if (host->running && host->stop.cause != STOP_NONE && !host->is_ending) {
        if (host->stop.next_round <= clock_us() && host->stop.has_begun)
            session_shell_remind(&host->sandbox.shell);
        if (!session_stop_round(&host->stop, host->sandbox.shell.process, &host->spared))
            end(host, "its shell did not come back from the command");
    }
    if (clock_us() >= idle_deadline(host))
        end(host, "nobody used it");
    if (host->is_ending && host->sandbox.is_running && clock_us() >= host->kill_at) {
        kill(host->sandbox.sandbox.bwrap, SIGKILL);
        host->kill_at = CLOCK_NEVER;
    }
}

/* --- The loop --- */

static size_t list_sources(const struct host *host, struct pollfd **sources)
{
    size_t count = SOURCES + host->callers.count;
    *sources = xcalloc(count, sizeof(**sources));
    for (size_t i = 0; i < count; i++)
        (*sources)[i].events = POLLIN;
    (*sources)[SOURCE_SIGNALS].fd = host->sandbox.supervisor.signals;
    (*sources)[SOURCE_CHANNEL].fd = host->sandbox.sandbox.channel;
    (*sources)[SOURCE_OBSERVER].fd = host->sandbox.shell.observer;
    (*sources)[SOURCE_NETWORK].fd = host->sandbox.sandbox.network.fd;
    (*sources)[SOURCE_TERMINAL].fd = host->running ? -1 : host->sandbox.terminal.master;
    (*sources)[SOURCE_MOUNTS].fd = host->mounts;
    (*sources)[SOURCE_MOUNTS].events = POLLPRI;
    (*sources)[SOURCE_LISTENER].fd = host->listener;
    for (size_t i = 0; i < host->callers.count; i++)
        (*sources)[SOURCES + i].fd = host->callers.items[i]->socket;
    return count;
}

/* Who has just come mostly has said already what for. */
static void welcome(struct host *host)
{
    size_t known = host->callers.count;
    session_callers_accept(&host->callers, host->listener);
    for (size_t i = known; i < host->callers.count; i++)
        if (host->callers.items[i]->socket >= 0)
            listen_to(host, host->callers.items[i]);
}

static void serve_sources(struct host *host, const struct pollfd *sources, size_t count)
{
    if (sources[SOURCE_CHANNEL].revents)
        hear_sandbox(host);
    if (sources[SOURCE_OBSERVER].revents & POLLIN)
        attend_shell(host);
    else if (sources[SOURCE_OBSERVER].revents)
        fd_close(&host->sandbox.shell.observer);
    if (sources[SOURCE_NETWORK].revents)
        network_report_read(&host->sandbox.sandbox.network);
    if (sources[SOURCE_SIGNALS].revents)
        read_signals(host);
    if (sources[SOURCE_TERMINAL].revents)
        session_terminal_read(&host->sandbox.terminal);
    if (sources[SOURCE_MOUNTS].revents)
        check_view(host);
    /* Those that came in the meantime are at the end, and not in `sources`. */
    for (size_t i = SOURCES; i < count; i++)
        if (sources[i].revents)
            listen_to(host, host->callers.items[i - SOURCES]);
    if (sources[SOURCE_LISTENER].revents)
        welcome(host);
}

static void wait_for_event(struct host *host)
{
    cleanup_free struct pollfd *sources = NULL;
    size_t count = list_sources(host, &sources);
    if (poll(sources, count, clock_poll_time(next_deadline(host))) > 0)
        serve_sources(host, sources, count);
    act_on_time(host);
    start_next(host);
    session_callers_sweep(&host->callers, host->running);
    /* What is reaped by itself, a signal may have told before. */
    if (!host->sandbox.is_running && !host->is_ending)
        end(host, "");
}

/* Whoever has not had a turn may try again with another session. */
static void say_goodbye(struct host *host, const struct error *error)
{
    if (host->running)
        finish_call(host, host->sandbox.exit_status, true, host->end_text);
    session_callers_accept(&host->callers, host->listener);
    /* Who has just come may not have been heard yet. */
    for (size_t i = 0; i < host->callers.count; i++)
        if (!host->callers.items[i]->has_call && host->callers.items[i]->socket >= 0)
            listen_to(host, host->callers.items[i]);
    if (error)
        pass_words_on(host);
    for (size_t i = 0; i < host->callers.count; i++)
        if (!host->callers.items[i]->waits_for_end)
            session_caller_answer(host->callers.items[i], error ? SESSION_REFUSED : SESSION_AGAIN,
                                  0, 0, error ? error->message : NULL);
}

static void announce(const char *text)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)!write(STDOUT_FILENO, text, strlen(text));
    if (null >= 0)
        dup2(null, STDOUT_FILENO);
    fd_close(&null);
}

static int open_host(struct host *host, struct error **error)
{
    host->folder = session_folder_open(host->setup->scope, error);
    if (host->folder < 0)
        return -1;
    host->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    host->listener = session_listen(host->folder, &host->session, error);
    return host->listener < 0 ? -1 : 0;
}

/* The shell is the one that says what became of it, unless something else has ended it. */
static void serve(struct host *host, struct error **error)
{
    if (session_sandbox_start(&host->sandbox, error) < 0) {
        end(host, (*error)->message);
        return;
    }
    while (!host->is_ending || host->sandbox.is_running)
        wait_for_event(host);
    if (host->calls == 0 && host->sandbox.shell.state == SHELL_COMES_UP && host->end_text[0])
        error_set(error, 0, "%s", host->end_text);
}

int session_host_run(const struct session_host_setup *setup, struct error **error)
{
    struct host host = {
        .setup = setup,
        .session = {setup->scope->name, setup->name},
        .settings = session_settings_digest(setup->scope, setup->config_file),
        .sandbox = {.config_file = setup->config_file,
                    .scope = setup->scope,
                    .identity = setup->identity,
                    .name = setup->name,
                    .is_given_view = setup->is_given_view,
                    .is_terminal = setup->is_terminal},
        .folder = -1,
        .listener = -1,
        .mounts = -1,
        .started = time(NULL),
        .used = time(NULL),
        .idle_since = clock_us(),
    };
    session_stop_reset(&host.stop);
    cleanup_fd int words = memfd_create("scopefs-exec", MFD_CLOEXEC);
    if (words >= 0)
        dup2(words, STDERR_FILENO);
    if (open_host(&host, error) < 0) {
        announce((*error)->message);
        return -1;
    }
    announce("ok");
    serve(&host, error);
    say_goodbye(&host, *error);
    fd_close(&host.listener);
    session_sandbox_free(&host.sandbox);
    /* Those who wait for the end are told by this. */
    session_callers_free(&host.callers);
    session_stop_reset(&host.stop);
    process_set_free(&host.spared);
    fd_close(&host.folder);
    fd_close(&host.mounts);
    return *error ? -1 : 0;
}
