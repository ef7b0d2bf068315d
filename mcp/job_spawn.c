#include "job_spawn.h"

#include "../exec/process.h"
#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The number of the report's descriptor in scopefs-exec. */
#define REPORT_FD 3

struct words {
    const char **items;
    size_t count;
};

static void add(struct words *words, const char *word)
{
    words->items = xreallocarray(words->items, words->count + 2, sizeof(*words->items));
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

static void add_option(struct words *words, const char *option, const char *value)
{
    if (!value || !*value)
        return;
    add(words, option);
    add(words, value);
}

static void begin(struct words *words, const char *program, const struct spawn_place *place)
{
    add(words, program);
    add_option(words, "-c", place->config_file);
    add_option(words, "--view", place->view);
}

/* What the child has as its descriptors 0 to 3; -1: /dev/null, or none for the report. */
struct ends {
    int input, output, errors, report;
};

/* Only what may be called between fork and exec in a program with threads. */
static _Noreturn void become(const char *const *arguments, const struct ends *ends, pid_t parent)
{
    sigset_t none;
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* No terminal: what a rule asks about is asked through the client. */
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (getppid() == parent && dup2(ends->input >= 0 ? ends->input : null_fd, STDIN_FILENO) >= 0 &&
        dup2(ends->output, STDOUT_FILENO) >= 0 &&
        (ends->errors < 0 || dup2(ends->errors, STDERR_FILENO) >= 0) &&
        (ends->report < 0 || dup2(ends->report, REPORT_FD) >= 0))
        execv(arguments[0], (char *const *)arguments);
    _exit(125);
}

static int start(struct spawned *spawned, const char *const *arguments, const struct ends *ends)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0)
        become(arguments, ends, parent);
    if (child < 0)
        return -1;
    spawned->pid = child;
    spawned->process = (int)syscall(SYS_pidfd_open, child, 0);
    return 0;
}

/* One end is read without waiting, the other goes to the child. Above the child's own numbers. */
static int open_pipe(int *ours, int *theirs)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    *ours = ends[0];
    *theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
    close(ends[1]);
    return *theirs < 0 ? -1 : fcntl(*ours, F_SETFL, O_NONBLOCK);
}

static int open_input(const struct job_request *request)
{
    cleanup_fd int memory = memfd_create("input", MFD_CLOEXEC);
    if (memory < 0 || fd_write_all(memory, request->input, request->input_size) < 0 ||
        lseek(memory, 0, SEEK_SET) < 0)
        return -1;
    return fcntl(memory, F_DUPFD_CLOEXEC, 10);
}

static int start_job(struct spawned *spawned, const struct job_request *request,
                     const char *const *arguments)
{
    cleanup_fd int input = -1, output = -1, errors = -1, report = -1;
    if (request->input_size && (input = open_input(request)) < 0)
        return -1;
    if (open_pipe(&spawned->output, &output) < 0 || open_pipe(&spawned->errors, &errors) < 0 ||
        open_pipe(&spawned->report, &report) < 0)
        return -1;
    const struct ends ends = {input, output, errors, report};
    return start(spawned, arguments, &ends);
}

int job_spawn(struct spawned *spawned, const struct job_request *request,
              const struct spawn_place *place, bool was_asked)
{
    cleanup_free char *program = runtime_program("scopefs-exec");
    struct words words = {0};
    *spawned = (struct spawned){0, -1, -1, -1, -1};
    begin(&words, program, place);
    add_option(&words, "--report", "3");
    add_option(&words, "-w", request->workdir);
    add_option(&words, "-t", request->timeout);
    add_option(&words, "--session", request->shell);
    for (const char **entry = request->environment; entry && *entry; entry++)
        add_option(&words, "-e", *entry);
    if (was_asked)
        add(&words, "--yes");
    add(&words, "-s");
    add(&words, request->command);
    add(&words, place->scope_name);
    int result = start_job(spawned, request, words.items);
    if (result < 0)
        spawned_close(spawned);
    free(words.items);
    return result;
}

void shell_close(const struct spawn_place *place, const char *shell)
{
    cleanup_free char *program = runtime_program("scopefs-exec");
    cleanup_error struct error *error = NULL;
    const char *const arguments[] = {program, "session", "close", place->scope_name, shell, NULL};
    if (process_run(arguments, STDERR_FILENO, -1, &error) < 0)
        log_error("%s", error->message);
}

int worker_spawn(struct spawned *spawned, const struct spawn_place *place, int channel)
{
    cleanup_free char *program = runtime_program("scopefs-exec");
    struct words words = {0};
    const struct ends ends = {channel, channel, -1, -1};
    *spawned = (struct spawned){0, -1, -1, -1, -1};
    begin(&words, program, place);
    add(&words, "--tool-server");
    add(&words, place->scope_name);
    int result = start(spawned, words.items, &ends);
    free(words.items);
    return result;
}

void spawned_end(struct spawned *spawned, int patience_ms)
{
    int status;
    struct pollfd item = {.fd = spawned->process, .events = POLLIN};
    if (poll(&item, 1, patience_ms) <= 0)
        kill(spawned->pid, SIGKILL);
    while (waitpid(spawned->pid, &status, 0) < 0 && errno == EINTR)
        ;
    spawned->pid = 0;
}

void spawned_close(struct spawned *spawned)
{
    fd_close(&spawned->process);
    fd_close(&spawned->output);
    fd_close(&spawned->errors);
    fd_close(&spawned->report);
}
