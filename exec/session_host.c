#include "session_host.h"

#include "clock.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "session_settings.h"
#include "session_turns.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
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

/* --- Events --- */

static void attend_shell(struct session_turns *turns)
{
    int status = session_shell_attend(&turns->sandbox.shell);
    if (status >= 0 && turns->running)
        session_turns_finish(turns, status, turns->is_ending, turns->end_text);
}

/* What the sandbox's start had to say is the first caller's to read. It is kept until then: what
 * stays behind the start must not hold his standard error. */
static void pass_words_on(struct session_turns *turns)
{
    struct session_message message = {.kind = SESSION_SAYS};
    const struct session_caller *first = session_callers_next(&turns->callers);
    ssize_t size = pread(STDERR_FILENO, message.text, sizeof(message.text) - 1, 0);
    if (size > 0 && first)
        session_send(first->socket, &message, NULL, 0);
}

static void hear_sandbox(struct session_turns *turns)
{
    cleanup_error struct error *error = NULL;
    int result = session_sandbox_hear(&turns->sandbox, &error);
    if (result > 0) {
        pass_words_on(turns);
        dup2(turns->sandbox.shell.null, STDERR_FILENO);
        turns->idle_since = clock_us();
    } else if (result < 0) {
        session_turns_end(turns, error->message);
    }
}

static void read_signals(struct session_turns *turns)
{
    int number = supervisor_interrupted(&turns->sandbox.supervisor);
    session_sandbox_reap(&turns->sandbox);
    if (number)
        session_turns_end(turns, "its process was told to end");
}

static void check_view(struct session_turns *turns)
{
    if (!session_sandbox_has_view(&turns->sandbox))
        session_turns_end(turns, "its view was unmounted");
}

/* --- Time --- */

static int64_t idle_deadline(const struct session_turns *turns)
{
    unsigned long idle_ms = turns->setup->scope->exec.session_idle_ms;
    if (turns->running || idle_ms == 0)
        return CLOCK_NEVER;
    return turns->idle_since + (int64_t)idle_ms * 1000;
}

static int64_t next_deadline(const struct session_turns *turns)
{
    int64_t next = turns->is_ending ? turns->kill_at : idle_deadline(turns);
    if (turns->stop.next_round < next)
        next = turns->stop.next_round;
    for (size_t i = 0; i < turns->callers.count; i++)
        if (turns->callers.items[i]->deadline < next)
            next = turns->callers.items[i]->deadline;
    return next;
}

static void act_on_call_deadlines(struct session_turns *turns)
{
    for (size_t i = 0; i < turns->callers.count; i++) {
        struct session_caller *caller = turns->callers.items[i];
        if (caller->deadline > clock_us())
            continue;
        caller->deadline = CLOCK_NEVER;
        if (caller == turns->running)
            session_turns_stop(turns, STOP_TIME, SIGTERM);
        else
            session_caller_answer(caller, SESSION_FINISHED, 124, SESSION_HAS_TIMED_OUT,
                                  "its time was over before the session had a turn for it");
    }
}

static void act_on_time(struct session_turns *turns)
{
    act_on_call_deadlines(turns);
    if (turns->running && turns->stop.cause != STOP_NONE && !turns->is_ending) {
        if (turns->stop.next_round <= clock_us() && turns->stop.has_begun)
            session_shell_remind(&turns->sandbox.shell);
        if (!session_stop_round(&turns->stop, turns->sandbox.shell.process, &turns->spared))
            session_turns_end(turns, "its shell did not come back from the command");
    }
    if (clock_us() >= idle_deadline(turns))
        session_turns_end(turns, "nobody used it");
    if (turns->is_ending && turns->sandbox.is_running && clock_us() >= turns->kill_at) {
        kill(turns->sandbox.sandbox.bwrap, SIGKILL);
        turns->kill_at = CLOCK_NEVER;
    }
}

/* --- The loop --- */

static size_t list_sources(const struct session_turns *turns, struct pollfd **sources)
{
    size_t count = SOURCES + turns->callers.count;
    *sources = xcalloc(count, sizeof(**sources));
    for (size_t i = 0; i < count; i++)
        (*sources)[i].events = POLLIN;
    (*sources)[SOURCE_SIGNALS].fd = turns->sandbox.supervisor.signals;
    (*sources)[SOURCE_CHANNEL].fd = turns->sandbox.sandbox.channel;
    (*sources)[SOURCE_OBSERVER].fd = turns->sandbox.shell.observer;
    (*sources)[SOURCE_NETWORK].fd = turns->sandbox.sandbox.network.fd;
    (*sources)[SOURCE_TERMINAL].fd = turns->running ? -1 : turns->sandbox.terminal.master;
    (*sources)[SOURCE_MOUNTS].fd = turns->mounts;
    (*sources)[SOURCE_MOUNTS].events = POLLPRI;
    (*sources)[SOURCE_LISTENER].fd = turns->listener;
    for (size_t i = 0; i < turns->callers.count; i++)
        (*sources)[SOURCES + i].fd = turns->callers.items[i]->socket;
    return count;
}

/* Who has just come mostly has said already what for. */
static void welcome(struct session_turns *turns)
{
    size_t known = turns->callers.count;
    session_callers_accept(&turns->callers, turns->listener);
    for (size_t i = known; i < turns->callers.count; i++)
        if (turns->callers.items[i]->socket >= 0)
            session_turns_listen(turns, turns->callers.items[i]);
}

static void serve_sources(struct session_turns *turns, const struct pollfd *sources, size_t count)
{
    if (sources[SOURCE_CHANNEL].revents)
        hear_sandbox(turns);
    if (sources[SOURCE_OBSERVER].revents & POLLIN)
        attend_shell(turns);
    else if (sources[SOURCE_OBSERVER].revents)
        fd_close(&turns->sandbox.shell.observer);
    if (sources[SOURCE_NETWORK].revents)
        network_report_read(&turns->sandbox.sandbox.network);
    if (sources[SOURCE_SIGNALS].revents)
        read_signals(turns);
    if (sources[SOURCE_TERMINAL].revents)
        session_terminal_read(&turns->sandbox.terminal);
    if (sources[SOURCE_MOUNTS].revents)
        check_view(turns);
    /* Those that came in the meantime are at the end, and not in `sources`. */
    for (size_t i = SOURCES; i < count; i++)
        if (sources[i].revents)
            session_turns_listen(turns, turns->callers.items[i - SOURCES]);
    if (sources[SOURCE_LISTENER].revents)
        welcome(turns);
}

static void wait_for_event(struct session_turns *turns)
{
    cleanup_free struct pollfd *sources = NULL;
    size_t count = list_sources(turns, &sources);
    if (poll(sources, count, clock_poll_time(next_deadline(turns))) > 0)
        serve_sources(turns, sources, count);
    act_on_time(turns);
    session_turns_start_next(turns);
    session_callers_sweep(&turns->callers, turns->running);
    /* What is reaped by itself, a signal may have told before. */
    if (!turns->sandbox.is_running && !turns->is_ending)
        session_turns_end(turns, "");
}

/* Whoever has not had a turn may try again with another session. */
static void say_goodbye(struct session_turns *turns, const struct error *error)
{
    if (turns->running)
        session_turns_finish(turns, turns->sandbox.exit_status, true, turns->end_text);
    session_callers_accept(&turns->callers, turns->listener);
    /* Who has just come may not have been heard yet. */
    for (size_t i = 0; i < turns->callers.count; i++)
        if (!turns->callers.items[i]->has_call && turns->callers.items[i]->socket >= 0)
            session_turns_listen(turns, turns->callers.items[i]);
    if (error)
        pass_words_on(turns);
    for (size_t i = 0; i < turns->callers.count; i++)
        if (!turns->callers.items[i]->waits_for_end)
            session_caller_answer(turns->callers.items[i], error ? SESSION_REFUSED : SESSION_AGAIN,
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

static int open_turns(struct session_turns *turns, struct error **error)
{
    turns->folder = session_folder_open(turns->setup->scope, error);
    if (turns->folder < 0)
        return -1;
    turns->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    turns->listener = session_listen(turns->folder, &turns->session, error);
    return turns->listener < 0 ? -1 : 0;
}

/* The shell is the one that says what became of it, unless something else has ended it. */
static void serve(struct session_turns *turns, struct error **error)
{
    if (session_sandbox_start(&turns->sandbox, error) < 0) {
        session_turns_end(turns, (*error)->message);
        return;
    }
    while (!turns->is_ending || turns->sandbox.is_running)
        wait_for_event(turns);
    if (turns->calls == 0 && turns->sandbox.shell.state == SHELL_COMES_UP && turns->end_text[0])
        error_set(error, 0, "%s", turns->end_text);
}

int session_host_run(const struct session_host_setup *setup, struct error **error)
{
    struct session_turns turns = {
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
    session_stop_reset(&turns.stop);
    cleanup_fd int words = memfd_create("scopefs-exec", MFD_CLOEXEC);
    if (words >= 0)
        dup2(words, STDERR_FILENO);
    if (open_turns(&turns, error) < 0) {
        announce((*error)->message);
        return -1;
    }
    announce("ok");
    serve(&turns, error);
    say_goodbye(&turns, *error);
    fd_close(&turns.listener);
    session_sandbox_free(&turns.sandbox);
    /* Those who wait for the end are told by this. */
    session_callers_free(&turns.callers);
    session_stop_reset(&turns.stop);
    process_set_free(&turns.spared);
    fd_close(&turns.folder);
    fd_close(&turns.mounts);
    return *error ? -1 : 0;
}
