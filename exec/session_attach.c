#include "session_attach.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "session_folder.h"
#include "session_protocol.h"
#include "session_settings.h"
#include "session_start.h"
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define DETACH_KEY  ('\\' & 037)
#define END_OF_FILE ('D' & 037)
/* How long a terminal without further input may be silent before it is told so. */
#define END_PATIENCE_MS 100

enum { STATUS_FAILED = 125, STATUS_SIGNAL = 128 };

struct terminal {
    struct supervisor supervisor;
    int socket;
    int master;         /* -1: the other side is closed */
    int input;          /* -1: at its end */
    int window_changes; /* a signalfd */
    bool input_has_ended;
    bool is_raw;
    bool has_left;
    struct termios saved;
    char pending[65536]; /* typed, and not taken in yet */
    size_t pending_size;
    struct session_message answer;
};

static void make_raw(struct terminal *terminal)
{
    struct termios raw;
    if (tcgetattr(STDIN_FILENO, &terminal->saved) < 0)
        return;
    raw = terminal->saved;
    cfmakeraw(&raw);
    terminal->is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void pass_window_size(const struct terminal *terminal)
{
    struct winsize size;
    struct signalfd_siginfo change;
    while (read(terminal->window_changes, &change, sizeof(change)) > 0)
        ;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        (void)ioctl(terminal->master, TIOCSWINSZ, &size);
}

static void pass_pending(struct terminal *terminal)
{
    ssize_t size = write(terminal->master, terminal->pending, terminal->pending_size);
    if (size <= 0)
        return;
    terminal->pending_size -= (size_t)size;
    memmove(terminal->pending, terminal->pending + size, terminal->pending_size);
}

static void pass_input(struct terminal *terminal)
{
    char bytes[4096];
    ssize_t size = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (size < 0 && errno == EINTR)
        return;
    if (size <= 0) {
        terminal->input = -1;
        terminal->input_has_ended = true;
        return;
    }
    const char *key = terminal->is_raw ? memchr(bytes, DETACH_KEY, (size_t)size) : NULL;
    terminal->has_left = key != NULL;
    size_t typed = key ? (size_t)(key - bytes) : (size_t)size;
    size_t room = sizeof(terminal->pending) - terminal->pending_size;
    size_t added = typed < room ? typed : room;
    memcpy(terminal->pending + terminal->pending_size, bytes, added);
    terminal->pending_size += added;
    pass_pending(terminal);
}

/* What runs there may read nothing. The key to leave is seen all the same: from a terminal reading
 * goes on, and drops what has no room. */
static bool takes_input(const struct terminal *terminal)
{
    return terminal->master >= 0 && (terminal->is_raw || terminal->pending_size == 0);
}

/* Again and again: what was typed before a program has set the terminal up, it does not see as the
 * end. */
static void pass_end_of_input(const struct terminal *terminal)
{
    static const char end = END_OF_FILE;
    if (terminal->input_has_ended && terminal->master >= 0 && terminal->pending_size == 0)
        (void)!write(terminal->master, &end, 1);
}

static void pass_output(struct terminal *terminal)
{
    char bytes[16384];
    ssize_t size = read(terminal->master, bytes, sizeof(bytes));
    /* EIO when nobody inside has it open any more. */
    if (size <= 0 && errno != EINTR && errno != EAGAIN)
        fd_close(&terminal->master);
    else if (size > 0 && fd_write_all(STDOUT_FILENO, bytes, (size_t)size) < 0)
        terminal->has_left = true;
}

/* What was printed while nobody looked. */
static void show_past(int past)
{
    cleanup_free char *text = NULL;
    size_t size;
    if (lseek(past, 0, SEEK_SET) == 0 && fd_read_file(past, SESSION_PAST, &text, &size) == 0)
        (void)fd_write_all(STDOUT_FILENO, text, size);
}

/* False when that was the last message. */
static bool take_message(struct terminal *terminal)
{
    int fds[SESSION_DESCRIPTORS];
    if (!session_receive(terminal->socket, &terminal->answer, fds, SESSION_DESCRIPTORS)) {
        terminal->answer = (struct session_message){.kind = SESSION_NOTHING};
        return false;
    }
    if (terminal->answer.kind == SESSION_STARTED && fds[0] >= 0 && terminal->master < 0) {
        terminal->master = fd_steal(&fds[0]);
        terminal->input = STDIN_FILENO;
        (void)fcntl(terminal->master, F_SETFL, O_RDWR | O_NONBLOCK);
        show_past(fds[1]);
        make_raw(terminal);
        pass_window_size(terminal);
    } else if (terminal->answer.kind == SESSION_SAYS) {
        fputs(terminal->answer.text, stderr);
    }
    for (size_t i = 0; i < SESSION_DESCRIPTORS; i++)
        fd_close(&fds[i]);
    return terminal->answer.kind == SESSION_STARTED || terminal->answer.kind == SESSION_SAYS;
}

/* Returns a signal that has ended it, or 0. */
static int pass_through(struct terminal *terminal)
{
    for (bool is_last = false; !is_last && !terminal->has_left;) {
        bool has_terminal = terminal->master >= 0;
        struct pollfd sources[] = {
            {.fd = terminal->socket, .events = POLLIN},
            {.fd = terminal->supervisor.interrupts, .events = POLLIN},
            {.fd = has_terminal ? terminal->window_changes : -1, .events = POLLIN},
            {.fd = takes_input(terminal) ? terminal->input : -1, .events = POLLIN},
            {.fd = terminal->master, .events = terminal->pending_size ? POLLIN | POLLOUT : POLLIN},
        };
        int patience = terminal->input_has_ended ? END_PATIENCE_MS : -1;
        int found = poll(sources, sizeof(sources) / sizeof(sources[0]), patience);
        if (found == 0)
            pass_end_of_input(terminal);
        if (found <= 0)
            continue;
        if (sources[1].revents)
            return supervisor_interrupted(&terminal->supervisor);
        if (sources[2].revents)
            pass_window_size(terminal);
        if (sources[3].revents)
            pass_input(terminal);
        if (sources[4].revents & POLLOUT)
            pass_pending(terminal);
        if (sources[4].revents & ~POLLOUT)
            pass_output(terminal);
        /* The last words are in the terminal still when the end is told. */
        else if (sources[0].revents)
            is_last = !take_message(terminal);
    }
    return 0;
}

static int judge(const struct terminal *terminal, const char *name, int interrupted,
                 struct error **error)
{
    const struct session_message *answer = &terminal->answer;
    if (interrupted)
        return STATUS_SIGNAL + interrupted;
    if (terminal->has_left) {
        fprintf(stderr, "scopefs-exec: session %s goes on\n", name);
        return 0;
    }
    if (answer->kind == SESSION_FINISHED) {
        if (answer->text[0])
            error_set(error, 0, "session %s has ended: %s", name, answer->text);
        return answer->number;
    }
    error_set(error, 0, "session %s: %s", name,
              answer->text[0] ? answer->text : "it has ended just now; try again");
    return STATUS_FAILED;
}

static int open_terminal(struct terminal *terminal, const struct session_request *request,
                         struct error **error)
{
    const struct session_name session = {request->scope->name, request->invocation->session};
    cleanup_free char *config_file = realpath(request->config_file, NULL);
    sigset_t window;
    sigemptyset(&window);
    sigaddset(&window, SIGWINCH);
    if (!session_name_is_valid(session.name))
        return error_set(error, 0, "--session %s: " SESSION_NAME_SYNTAX, session.name);
    if (!config_file)
        return error_set(error, errno, "cannot find %s", request->config_file);
    cleanup_fd int folder = session_folder_open(request->scope, error);
    if (folder < 0 || supervisor_prepare(&terminal->supervisor, error) < 0)
        return -1;
    sigprocmask(SIG_BLOCK, &window, NULL);
    terminal->window_changes = signalfd(-1, &window, SFD_CLOEXEC | SFD_NONBLOCK);
    terminal->socket = session_reach(folder, &session, request->scope, config_file,
                                     request->invocation->view, true, error);
    if (terminal->socket < 0)
        return -1;
    struct session_message message = {
        .kind = SESSION_ATTACH,
        .call = {.settings = session_settings_digest(request->scope, config_file),
                 .config_digest = request->config_digest},
    };
    session_send(terminal->socket, &message, NULL, 0);
    return 0;
}

int session_attach(const struct session_request *request, struct error **error)
{
    struct terminal terminal = {
        .supervisor = {.signals = -1, .interrupts = -1},
        .socket = -1,
        .master = -1,
        .input = -1,
        .window_changes = -1,
    };
    int status = STATUS_FAILED;
    if (open_terminal(&terminal, request, error) == 0) {
        int interrupted = pass_through(&terminal);
        if (terminal.is_raw)
            tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal.saved);
        status = judge(&terminal, request->invocation->session, interrupted, error);
    }
    fd_close(&terminal.master);
    fd_close(&terminal.socket);
    fd_close(&terminal.window_changes);
    supervisor_free(&terminal.supervisor);
    return status;
}
