#include "session_turns.h"

#include "clock.h"
#include "scopefs/fd.h"
#include "scopefs/strbuf.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void session_turns_end(struct session_turns *turns, const char *text)
{
    if (turns->is_ending)
        return;
    turns->is_ending = true;
    snprintf(turns->end_text, sizeof(turns->end_text), "%s", text);
    /* Whoever comes from now on starts another one. */
    if (turns->listener >= 0)
        session_unlink(turns->folder, &turns->session);
    fd_close(&turns->sandbox.shell.script);
    unsigned long grace = turns->setup->scope->exec.kill_after_ms;
    turns->kill_at = grace ? clock_deadline(grace) : clock_us();
    if (!turns->sandbox.is_running)
        return;
    process_signal_descendants(turns->sandbox.sandbox.bwrap, SIGTERM);
    /* A shell at a terminal waits for nothing else. */
    if (turns->setup->is_terminal)
        process_signal_descendants(turns->sandbox.sandbox.bwrap, SIGHUP);
}

/* --- Calls --- */

static int status_of(const struct session_turns *turns, int status)
{
    enum { INTERRUPTED = 128 + SIGINT, TIMED_OUT = 124 };
    if (turns->stop.cause == STOP_TIME)
        return TIMED_OUT;
    return turns->stop.cause == STOP_SIGNAL && status == INTERRUPTED ? 128 + turns->stop.signal
                                                                     : status;
}

/* That memory has run out is told to everybody. */
static bool is_measured(const struct session_turns *turns)
{
    return turns->running->call.is_followed || turns->setup->scope->exec.limits.memory;
}

/* What the network refused since the call began, as a memory file; -1: it is not to be known. */
static int tell_connections(struct session_turns *turns)
{
    struct network_report *network = &turns->sandbox.sandbox.network;
    cleanup_strbuf struct strbuf text = {0};
    if (!turns->running->call.is_followed)
        return -1;
    network_report_read(network);
    network_report_add_json(network, &text);
    cleanup_fd int fd = memfd_create("scopefs-exec", MFD_CLOEXEC);
    return fd < 0 || fd_write_all(fd, text.bytes, text.length) < 0 ? -1 : fd_steal(&fd);
}

void session_turns_finish(struct session_turns *turns, int status, bool has_ended, const char *text)
{
    struct session_message message = {
        .kind = SESSION_FINISHED,
        .number = status_of(turns, status),
        .flags = (turns->stop.cause == STOP_TIME ? SESSION_HAS_TIMED_OUT : 0U) |
                 (has_ended ? SESSION_HAS_ENDED : 0U) | (turns->calls == 1 ? SESSION_IS_NEW : 0U),
    };
    if (is_measured(turns)) {
        struct session_usage now;
        session_usage_read(&now, &turns->sandbox);
        session_usage_since(&message.result, &turns->before, &now);
    }
    message.result.duration_us = (uint64_t)(clock_us() - turns->call_started);
    snprintf(message.text, sizeof(message.text), "%s", text ? text : "");
    struct session_caller *caller = turns->running;
    cleanup_fd int connections = tell_connections(turns);
    turns->running = NULL;
    turns->awaits_go = false;
    turns->idle_since = clock_us();
    turns->used = time(NULL);
    session_stop_reset(&turns->stop);
    process_set_free(&turns->spared);
    session_caller_dismiss(caller, &message, connections);
}

static void begin_call(struct session_turns *turns)
{
    struct session_shell *shell = &turns->sandbox.shell;
    turns->awaits_go = false;
    turns->call_started = clock_us();
    network_report_read(&turns->sandbox.sandbox.network);
    network_report_clear(&turns->sandbox.sandbox.network);
    if (is_measured(turns))
        session_usage_read(&turns->before, &turns->sandbox);
    if (session_shell_call(shell, turns->running->fds) < 0)
        session_turns_end(turns, "the shell of the session takes in nothing any more");
    /* It is held up at the gate, and has begun nothing yet. */
    process_list_children_of(shell->process, &turns->spared);
}

static void tell_of_turn(struct session_turns *turns)
{
    char path[64];
    struct stat place;
    const struct view_mount *view = &turns->sandbox.view;
    struct session_message message = {
        .kind = SESSION_STARTED,
        .place = {.view_major = view->device_major, .view_minor = view->device_minor},
    };
    snprintf(path, sizeof(path), "/proc/%d/ns/pid", turns->sandbox.shell.process);
    if (stat(path, &place) == 0)
        message.place.pid_namespace = place.st_ino;
    turns->call_started = clock_us();
    turns->awaits_go = true;
    session_send(turns->running->socket, &message, NULL, 0);
}

static void leave_terminal(struct session_turns *turns)
{
    fd_close(&turns->running->socket);
    turns->running = NULL;
    turns->idle_since = clock_us();
    turns->used = time(NULL);
}

static void give_terminal(struct session_turns *turns)
{
    if (session_terminal_give(&turns->sandbox.terminal, turns->running) < 0)
        leave_terminal(turns);
}

void session_turns_start_next(struct session_turns *turns)
{
    if (turns->running || turns->is_ending || turns->sandbox.shell.state != SHELL_IDLE)
        return;
    turns->running = session_callers_next(&turns->callers);
    if (!turns->running)
        return;
    turns->calls++;
    if (turns->setup->is_terminal)
        give_terminal(turns);
    else if (turns->running->call.is_followed)
        tell_of_turn(turns);
    else
        begin_call(turns);
}

/* A view that the scope shares with others is told of new rules by `scopefs reload`. One of the
 * session's own nobody would tell. */
static bool is_outdated(const struct session_turns *turns, const struct session_call *call)
{
    return call->settings != turns->settings ||
           (turns->sandbox.view.keeper.process > 0 &&
            call->config_digest != turns->setup->config_digest);
}

static void take_call(struct session_turns *turns, struct session_caller *caller,
                      const struct session_call *call, bool is_terminal)
{
    const char *refusal = NULL;
    if (is_terminal != turns->setup->is_terminal)
        refusal = is_terminal ? "it has no terminal, but runs commands"
                              : "it has a terminal, and is reached by --tty alone";
    else if (is_terminal && turns->running)
        refusal = "its terminal is in use";
    if (refusal) {
        session_caller_answer(caller, SESSION_REFUSED, 0, 0, refusal);
        return;
    }
    if (is_outdated(turns, call)) {
        session_caller_answer(caller, SESSION_AGAIN, 0, 0,
                              "the scope has changed since it was started");
        session_turns_end(turns, "the scope has changed since it was started");
        return;
    }
    caller->has_call = true;
    caller->call = *call;
    caller->deadline = clock_deadline((unsigned long)call->timeout_ms);
}

static void tell_state(const struct session_turns *turns, struct session_caller *caller)
{
    struct session_message message = {
        .kind = SESSION_STATE,
        .flags = turns->running ? SESSION_IS_BUSY : 0U,
        .state = {.started = turns->started,
                  .used = turns->used,
                  .calls = turns->calls,
                  .process = getpid()},
    };
    for (size_t i = 0; i < turns->callers.count; i++)
        if (turns->callers.items[i]->has_call && turns->callers.items[i] != turns->running)
            message.state.waiting++;
    snprintf(message.text, sizeof(message.text), "%s", turns->setup->config_file);
    session_caller_dismiss(caller, &message, -1);
}

/* Ends the running call, for one of the causes. */
void session_turns_stop(struct session_turns *turns, enum session_stop_cause cause, int number)
{
    unsigned long kill_after_ms = (unsigned long)turns->running->call.kill_after_ms;
    session_stop_begin(&turns->stop, cause, number, kill_after_ms);
    if (turns->awaits_go)
        session_turns_finish(turns, 128 + number, false, NULL);
}

static void pass_signal_on(struct session_turns *turns, struct session_caller *caller, int number)
{
    if (number <= 0 || number >= NSIG)
        return;
    if (caller != turns->running) {
        session_caller_answer(caller, SESSION_FINISHED, 128 + number, 0, NULL);
    } else if (number == SIGUSR1 || number == SIGUSR2) {
        __attribute__((cleanup(process_set_free))) struct process_set signalled = {0};
        process_signal_new(turns->sandbox.shell.process, &turns->spared, &signalled, number);
    } else {
        session_turns_stop(turns, STOP_SIGNAL, number);
    }
}

void session_turns_listen(struct session_turns *turns, struct session_caller *caller)
{
    struct session_message message;
    int fds[SESSION_DESCRIPTORS];
    if (!session_receive(caller->socket, &message, fds, SESSION_DESCRIPTORS)) {
        if (errno == EAGAIN)
            return;
        fd_close(&caller->socket);
        if (caller == turns->running && turns->setup->is_terminal)
            leave_terminal(turns);
        else if (caller == turns->running)
            session_turns_stop(turns, STOP_CALLER_GONE, SIGTERM);
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
        take_call(turns, caller, &message.call, false);
    } else if (message.kind == SESSION_ATTACH && !caller->has_call) {
        take_call(turns, caller, &message.call, true);
    } else if (message.kind == SESSION_GO && caller == turns->running && turns->awaits_go) {
        begin_call(turns);
    } else if (message.kind == SESSION_SIGNAL) {
        pass_signal_on(turns, caller, message.number);
    } else if (message.kind == SESSION_LOOK) {
        tell_state(turns, caller);
    } else if (message.kind == SESSION_CLOSE) {
        caller->waits_for_end = true;
        session_turns_end(turns, "it was closed");
    } else {
        fd_close(&caller->socket);
    }
}
