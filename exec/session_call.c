#include "session_call.h"

#include "capture.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "session_folder.h"
#include "session_protocol.h"
#include "session_settings.h"
#include "session_start.h"
#include "session_text.h"
#include "supervise.h"
#include "terminal_loan.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STATUS_FAILED = 125, STATUS_SIGNAL = 128 };

/* How often a session may end just before a call had its turn. */
#define ATTEMPTS 5
/* What a session tells of its network; some hundred refusals have room. */
#define CONNECTIONS_LIMIT (4U << 20)

struct call {
    const struct session_request *request;
    struct session_name session;
    char *config_file; /* absolute */
    struct supervisor supervisor;
    struct result *result;
    struct session_message answer; /* the last that came */
    struct terminal_loan loan;
    int folder, text;
    int fds[SESSION_DESCRIPTORS]; /* borrowed, but for what is captured */
};

/* --- What is sent --- */

static int write_text(struct call *call, struct error **error)
{
    const struct invocation *invocation = call->request->invocation;
    struct sandbox_request request = invocation->request;
    cleanup_strbuf struct strbuf text = {0};
    request.scope = call->request->scope;
    if (session_text_add(&text, &request, invocation->shell_line, error) < 0)
        return -1;
    call->text = memfd_create("scopefs-exec", MFD_CLOEXEC);
    if (call->text < 0 || fd_write_all(call->text, text.bytes, text.length) < 0)
        return error_set(error, errno, "cannot hand the command over");
    return 0;
}

static bool is_followed(const struct session_request *request)
{
    return request->capture || request->invocation->report >= 0;
}

static void send_call(const struct call *call, int socket)
{
    const struct session_request *request = call->request;
    const struct exec_settings *settings = &request->scope->exec;
    const struct sandbox_request *wanted = &request->invocation->request;
    struct session_message message = {
        .kind = SESSION_CALL,
        .call = {.settings = session_settings_digest(request->scope, call->config_file),
                 .config_digest = request->config_digest,
                 .timeout_ms = wanted->has_timeout ? wanted->timeout_ms : settings->timeout_ms,
                 .kill_after_ms = settings->kill_after_ms,
                 .is_followed = is_followed(request)},
    };
    session_send(socket, &message, call->fds, SESSION_DESCRIPTORS);
}

/* --- What comes back --- */

static void pass_signals_on(struct call *call, int socket)
{
    int number = supervisor_interrupted(&call->supervisor);
    struct session_message message = {.kind = SESSION_SIGNAL, .number = number};
    if (number)
        session_send(socket, &message, NULL, 0);
}

static void follow(struct call *call, int socket, const struct session_place *place)
{
    struct access_report *accesses = &call->result->sandbox.accesses;
    const struct view_mount view = {.device_major = place->view_major,
                                    .device_minor = place->view_minor};
    struct session_message message = {.kind = SESSION_GO};
    access_report_open(accesses, &view);
    accesses->pid_namespace = (unsigned long)place->pid_namespace;
    session_send(socket, &message, NULL, 0);
}

static void take_connections(struct call *call, int fd)
{
    char *text;
    size_t size;
    if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
        fd_read_file(fd, CONNECTIONS_LIMIT, &text, &size) < 0)
        return;
    free(call->result->session_connections);
    call->result->session_connections = text;
}

/* True when it was the last. */
static bool read_answer(struct call *call, int socket)
{
    struct session_message message;
    cleanup_fd int connections = -1;
    if (!session_receive(socket, &message, &connections, 1)) {
        call->answer = (struct session_message){.kind = SESSION_NOTHING};
        return true;
    }
    if (message.kind == SESSION_SAYS) {
        fputs(message.text, stderr);
        return false;
    }
    if (message.kind == SESSION_STARTED) {
        follow(call, socket, &message.place);
        return false;
    }
    call->answer = message;
    take_connections(call, connections);
    return true;
}

static void wait_for_end(struct call *call, int socket)
{
    struct sandbox *sandbox = &call->result->sandbox;
    struct capture *output = &sandbox->output, *errors = &sandbox->errors;
    struct access_report *accesses = &sandbox->accesses;
    for (bool ended = false; !ended;) {
        struct pollfd sources[] = {
            {.fd = socket, .events = POLLIN},
            {.fd = call->supervisor.interrupts, .events = POLLIN},
            {.fd = output->fd, .events = POLLIN},
            {.fd = errors->fd, .events = POLLIN},
            {.fd = accesses->fd, .events = POLLIN},
            {.fd = -1},
            {.fd = -1},
        };
        int patience = terminal_loan_want(&call->loan, &sources[5]);
        if (poll(sources, sizeof(sources) / sizeof(sources[0]), patience) < 0)
            continue;
        terminal_loan_serve(&call->loan, &sources[5]);
        if (sources[4].revents)
            access_report_read(accesses);
        if (sources[2].revents)
            capture_read(output);
        if (sources[3].revents)
            capture_read(errors);
        if (sources[1].revents)
            pass_signals_on(call, socket);
        if (sources[0].revents)
            ended = read_answer(call, socket);
    }
}

static int take_result(struct call *call, struct error **error)
{
    const struct session_message *answer = &call->answer;
    const struct session_result *used = &answer->result;
    struct result *result = call->result;
    result->outcome.came_up = true;
    /* A shell tells of a signal only so. */
    result->outcome.status_is_known = true;
    result->outcome.wait_status =
        answer->number > STATUS_SIGNAL ? answer->number - STATUS_SIGNAL : answer->number << 8;
    result->outcome.timed_out = answer->flags & SESSION_HAS_TIMED_OUT;
    result->outcome.duration_us = used->duration_us;
    result->usage = (struct cgroup_usage){.out_of_memory = used->out_of_memory,
                                          .peak_memory = used->peak_memory,
                                          .cpu_us = used->cpu_us};
    result->session_is_new = answer->flags & SESSION_IS_NEW;
    result->session_has_ended = answer->flags & SESSION_HAS_ENDED;
    if (is_followed(call->request))
        access_report_finish(&result->sandbox.accesses);
    if (answer->text[0] && result->session_has_ended)
        error_set(error, 0, "session %s was ended with the command: %s", call->session.name,
                  answer->text);
    else if (answer->text[0])
        error_set(error, 0, "%s", answer->text);
    return answer->number;
}

/* 0 to try again. */
static int judge_answer(struct call *call, int *status, struct error **error)
{
    const struct session_message *answer = &call->answer;
    *status = STATUS_FAILED;
    if (answer->kind == SESSION_FINISHED) {
        *status = take_result(call, error);
    } else if (answer->kind == SESSION_REFUSED) {
        error_set(error, 0, "session %s: %s", call->session.name, answer->text);
    } else if (answer->kind != SESSION_AGAIN) {
        error_set(error, 0,
                  "session %s: the process that keeps it has died; what became of the "
                  "command is not known",
                  call->session.name);
    } else {
        if (answer->text[0])
            fprintf(stderr, "%s: session %s begins anew: %s\n", invocation_command.name,
                    call->session.name, answer->text);
        return 0;
    }
    return 1;
}

/* --- The call --- */

static int try_once(struct call *call, int *status, struct error **error)
{
    *status = STATUS_FAILED;
    cleanup_fd int socket =
        session_reach(call->folder, &call->session, call->request->scope, call->config_file,
                      call->request->invocation->view, false, error);
    if (socket < 0)
        return 1;
    int interrupted = supervisor_interrupted(&call->supervisor);
    if (interrupted) {
        *status = STATUS_SIGNAL + interrupted;
        return 1;
    }
    /* One that is just ending takes no call, but may have said why. */
    send_call(call, socket);
    wait_for_end(call, socket);
    return judge_answer(call, status, error);
}

static int open_streams(struct call *call, struct error **error)
{
    const struct session_request *request = call->request;
    struct sandbox *sandbox = &call->result->sandbox;
    call->fds[SESSION_TEXT] = call->text;
    call->fds[SESSION_INPUT] = request->input >= 0 ? request->input : STDIN_FILENO;
    call->fds[SESSION_OUTPUT] = STDOUT_FILENO;
    call->fds[SESSION_ERRORS] = STDERR_FILENO;
    if (request->capture) {
        call->fds[SESSION_OUTPUT] = capture_open(&sandbox->output, request->capture_limit, error);
        if (call->fds[SESSION_OUTPUT] < 0)
            return -1;
        call->fds[SESSION_ERRORS] = capture_open(&sandbox->errors, request->capture_limit, error);
        if (call->fds[SESSION_ERRORS] < 0)
            return -1;
    }
    return terminal_loan_open(&call->loan, &call->fds[SESSION_INPUT], error);
}

static void close_call(struct call *call)
{
    terminal_loan_close(&call->loan);
    if (call->request->capture) {
        fd_close(&call->fds[SESSION_OUTPUT]);
        fd_close(&call->fds[SESSION_ERRORS]);
        /* A job in the background may hold them for as long as it likes. */
        capture_finish(&call->result->sandbox.output);
        capture_finish(&call->result->sandbox.errors);
    }
    supervisor_free(&call->supervisor);
    free(call->config_file);
    fd_close(&call->text);
    fd_close(&call->folder);
}

static int prepare(struct call *call, struct error **error)
{
    const char *name = call->session.name;
    if (!session_name_is_valid(name))
        return error_set(error, 0, "--session %s: " SESSION_NAME_SYNTAX, name);
    call->config_file = realpath(call->request->config_file, NULL);
    if (!call->config_file)
        return error_set(error, errno, "cannot find %s", call->request->config_file);
    call->folder = session_folder_open(call->request->scope, error);
    if (call->folder < 0 || write_text(call, error) < 0 ||
        supervisor_prepare(&call->supervisor, error) < 0)
        return -1;
    return open_streams(call, error);
}

int session_call(const struct session_request *request, struct result *result, struct error **error)
{
    struct call call = {
        .request = request,
        .session = {request->scope->name, request->invocation->session},
        .supervisor = {.signals = -1, .interrupts = -1},
        .result = result,
        .loan = TERMINAL_LOAN_NONE,
        .folder = -1,
        .text = -1,
        .fds = {-1, -1, -1, -1},
    };
    int status = STATUS_FAILED;
    result->session = call.session.name;
    if (prepare(&call, error) == 0) {
        unsigned attempt = 0;
        while (attempt < ATTEMPTS && try_once(&call, &status, error) == 0)
            attempt++;
        if (attempt == ATTEMPTS)
            error_set(error, 0, "session %s ends again and again before it can be called",
                      call.session.name);
    }
    close_call(&call);
    return status;
}
