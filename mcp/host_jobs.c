#include "host_jobs.h"

#include "../exec/session_folder.h"
#include "job_request.h"
#include "job_spawn.h"
#include "scopefs/command_rules.h"
#include "scopefs/duration.h"
#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Of one worker, at a time. */
#define MAX_JOBS 64
/* Between SIGTERM and SIGKILL. */
#define KILL_AFTER_MS_FROM_OUTSIDE (KILL_AFTER_MS + 1000)
#define OUTPUT_CHUNK               32768
#define REPORT_LIMIT               65536

#define REPORT_REFUSED                                                                             \
    "{\"exit_status\":125,\"refused\":true,\"error\":\"a rule of the scope refuses this "          \
    "command\"}"
#define REPORT_DECLINED                                                                            \
    "{\"exit_status\":125,\"refused\":true,\"error\":\"a rule of the scope asks about this "       \
    "command, and it was not allowed\"}"
#define REPORT_UNREADABLE                                                                          \
    "{\"exit_status\":125,\"refused\":false,\"error\":\"the configuration of the scope has "       \
    "errors; only its owner can mend them\"}"
#define REPORT_BUSY                                                                                \
    "{\"exit_status\":125,\"refused\":false,\"error\":\"too many commands run at once\"}"
#define REPORT_NOT_STARTED                                                                         \
    "{\"exit_status\":125,\"refused\":false,\"error\":\"the command could not be started\"}"

struct job {
    struct job *next;
    uint32_t number;
    char *question; /* the bytes of its request, while somebody is asked */
    size_t question_size;
    struct spawned process; /* pid 0 while somebody is asked */
    struct strbuf report;
    long long kill_at; /* in milliseconds of the monotonic clock; 0: not */
};

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void give(struct job_table *table, uint16_t type, uint16_t flags, uint32_t number,
                 const char *bytes, size_t size)
{
    const struct frame frame = {
        .length = (uint32_t)size, .type = type, .flags = flags, .job = number};
    table->give(table->context, &frame, bytes);
}

static void give_end(struct job_table *table, uint32_t number, const char *report)
{
    give(table, FRAME_JOB_ENDED, 0, number, report, strlen(report));
}

static struct job *find(struct job_table *table, uint32_t number)
{
    struct job *job = table->first;
    while (job && job->number != number)
        job = job->next;
    return job;
}

static struct job *add(struct job_table *table, uint32_t number)
{
    struct job *job = xcalloc(1, sizeof(*job));
    job->number = number;
    job->process = (struct spawned){0, -1, -1, -1, -1};
    job->next = table->first;
    table->first = job;
    table->count++;
    return job;
}

static void remove_job(struct job_table *table, struct job *job)
{
    struct job **place = &table->first;
    while (*place != job)
        place = &(*place)->next;
    *place = job->next;
    table->count--;
    spawned_close(&job->process);
    strbuf_free(&job->report);
    free(job->question);
    free(job);
}

/* --- Beginning --- */

/* The scope as the file has it now, or NULL when that has errors. */
static const struct scope *current_scope(struct job_table *table)
{
    uint64_t digest;
    if (table->config && config_digest_file(table->config_file, &digest) == 0 &&
        digest == table->config->digest)
        return config_scope(table->config, table->scope_name, NULL);
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    struct config *config = config_load(table->config_file, &diagnostics);
    if (!config) {
        log_error("%s has errors; commands of scope %s are refused", table->config_file,
                  table->scope_name);
        return NULL;
    }
    config_free(table->config);
    table->config = config;
    return config_scope(config, table->scope_name, NULL);
}

/* The time that the scope gives its commands is the most that an agent gets. "": the scope's. */
static char *limit_timeout(const struct scope *scope, const char *wanted)
{
    unsigned long wanted_ms;
    unsigned long most_ms = scope->exec.timeout_ms;
    if (!duration_parse(wanted, &wanted_ms) || (most_ms && (wanted_ms == 0 || wanted_ms > most_ms)))
        return xstrdup("");
    return xstrdup(wanted);
}

/* Of a shell of this process: nobody else's can be named. New, or NULL for what is no name. */
static char *shell_name(const char *name)
{
    char *full = *name ? xasprintf("mcp-%d-%s", getpid(), name) : xstrdup("");
    if (!*full || session_name_is_valid(full))
        return full;
    free(full);
    return NULL;
}

static void keep_shell(struct job_table *table, const char *name)
{
    for (size_t i = 0; i < table->shell_count; i++)
        if (!*name || strcmp(table->shells[i], name) == 0)
            return;
    table->shells = xreallocarray(table->shells, table->shell_count + 1, sizeof(*table->shells));
    table->shells[table->shell_count++] = xstrdup(name);
}

/* NULL: all. */
static void close_shells(struct job_table *table, const char *name)
{
    const struct spawn_place place = {table->config_file, table->scope_name, table->view};
    size_t kept = 0;
    for (size_t i = 0; i < table->shell_count; i++) {
        char *shell = table->shells[i];
        if (name && strcmp(shell, name) != 0) {
            table->shells[kept++] = shell;
            continue;
        }
        shell_close(&place, shell);
        free(shell);
    }
    table->shell_count = kept;
}

static void run(struct job_table *table, struct job *job, const struct job_request *wanted,
                bool was_asked)
{
    const struct spawn_place place = {table->config_file, table->scope_name, table->view};
    const struct scope *scope = current_scope(table);
    cleanup_free char *timeout = scope ? limit_timeout(scope, wanted->timeout) : NULL;
    cleanup_free char *shell = shell_name(wanted->shell);
    struct job_request request = *wanted;
    request.timeout = timeout;
    request.shell = shell;
    if (scope && shell && job_spawn(&job->process, &request, &place, was_asked) == 0) {
        if (*shell)
            keep_shell(table, shell);
        give(table, FRAME_JOB_STARTED, 0, job->number, NULL, 0);
        return;
    }
    log_error("cannot start scopefs-exec: %s", strerror(errno));
    give_end(table, job->number, REPORT_NOT_STARTED);
    remove_job(table, job);
}

/* Whether somebody is to be asked through the client: an approver that the scope names comes first.
 */
static void decide(struct job_table *table, uint32_t number, const struct job_request *request,
                   const char *bytes, size_t size)
{
    char shell[] = "sh", option[] = "-c";
    cleanup_free char *line = xstrdup(request->command);
    char *const words[] = {shell, option, line, NULL};
    const struct scope *scope = current_scope(table);
    if (!scope) {
        give_end(table, number, REPORT_UNREADABLE);
        return;
    }
    const struct command_rule *rule =
        command_rules_decide(scope->exec.command_rules, scope->exec.command_rule_count, words);
    if (rule && rule->verdict == COMMAND_DENY) {
        give_end(table, number, REPORT_REFUSED);
        return;
    }
    struct job *job = add(table, number);
    if (!rule || rule->verdict == COMMAND_ALLOW || scope->exec.approver) {
        run(table, job, request, false);
        return;
    }
    job->question = xmemdup0(bytes, size);
    job->question_size = size;
    give(table, FRAME_JOB_ASK, 0, number, request->command, strlen(request->command));
}

static void start(struct job_table *table, uint32_t number, const char *bytes, size_t size)
{
    struct job_request request;
    if (find(table, number))
        return;
    if (!job_request_unpack(&request, bytes, size)) {
        give_end(table, number, REPORT_NOT_STARTED);
        return;
    }
    if (table->count >= MAX_JOBS)
        give_end(table, number, REPORT_BUSY);
    else
        decide(table, number, &request, bytes, size);
    free(request.environment);
}

static void answer(struct job_table *table, struct job *job, bool yes)
{
    struct job_request request;
    if (!job->question)
        return;
    cleanup_free char *bytes = steal_pointer(job->question);
    if (yes && job_request_unpack(&request, bytes, job->question_size)) {
        run(table, job, &request, true);
        free(request.environment);
        return;
    }
    give_end(table, job->number, REPORT_DECLINED);
    remove_job(table, job);
}

static void end(struct job_table *table, struct job *job)
{
    if (job->question) {
        answer(table, job, false);
    } else if (!job->kill_at) {
        kill(job->process.pid, SIGTERM);
        job->kill_at = now_ms() + KILL_AFTER_MS_FROM_OUTSIDE;
    }
}

static void end_shell(struct job_table *table, const char *bytes, size_t size)
{
    cleanup_free char *name = xmemdup0(bytes, size);
    cleanup_free char *shell = shell_name(name);
    if (shell && *shell)
        close_shells(table, shell);
}

void job_table_take(struct job_table *table, const struct frame *frame, const char *bytes)
{
    struct job *job = find(table, frame->job);
    if (frame->type == FRAME_JOB_START)
        start(table, frame->job, bytes, frame->length);
    else if (frame->type == FRAME_SHELL_CLOSE)
        end_shell(table, bytes, frame->length);
    else if (job && frame->type == FRAME_JOB_ANSWER)
        answer(table, job, frame->flags & FRAME_YES);
    else if (job && frame->type == FRAME_JOB_KILL)
        end(table, job);
}

/* --- Running --- */

size_t job_table_descriptors(const struct job_table *table)
{
    return table->count * 4;
}

static size_t add_poll(struct pollfd *items, size_t count, int fd)
{
    if (fd >= 0)
        items[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    return count;
}

size_t job_table_poll(const struct job_table *table, struct pollfd *items, int *timeout_ms)
{
    size_t count = 0;
    for (const struct job *job = table->first; job; job = job->next) {
        count = add_poll(items, count, job->process.process);
        count = add_poll(items, count, job->process.output);
        count = add_poll(items, count, job->process.errors);
        count = add_poll(items, count, job->process.report);
        if (job->kill_at) {
            long long left = job->kill_at - now_ms();
            int due = left < 0 ? 0 : (int)left;
            if (*timeout_ms < 0 || due < *timeout_ms)
                *timeout_ms = due;
        }
    }
    return count;
}

/* At most one chunk, so that a command that floods does not keep the others waiting; `all`: what is
 * there. */
static void pass_output(struct job_table *table, const struct job *job, int *fd, uint16_t flags,
                        bool all)
{
    char bytes[OUTPUT_CHUNK];
    do {
        ssize_t size = *fd >= 0 ? read(*fd, bytes, sizeof(bytes)) : -1;
        if (size == 0)
            fd_close(fd);
        if (size <= 0)
            return;
        give(table, FRAME_JOB_OUTPUT, flags, job->number, bytes, (size_t)size);
    } while (all);
}

static void read_report(struct job *job)
{
    char bytes[4096];
    while (job->process.report >= 0) {
        ssize_t size = read(job->process.report, bytes, sizeof(bytes));
        if (size == 0 || job->report.length > REPORT_LIMIT)
            fd_close(&job->process.report);
        if (size <= 0)
            return;
        strbuf_add(&job->report, bytes, (size_t)size);
    }
}

static bool has_ended(struct job *job)
{
    int status;
    return waitpid(job->process.pid, &status, WNOHANG) == job->process.pid;
}

static void work(struct job_table *table, struct job *job)
{
    if (!job->process.pid)
        return;
    bool ended = has_ended(job);
    pass_output(table, job, &job->process.output, 0, ended);
    pass_output(table, job, &job->process.errors, FRAME_ERRORS, ended);
    read_report(job);
    if (ended) {
        give(table, FRAME_JOB_ENDED, 0, job->number, job->report.bytes, job->report.length);
        remove_job(table, job);
    } else if (job->kill_at && job->kill_at <= now_ms()) {
        kill(job->process.pid, SIGKILL);
        job->kill_at = 0;
    }
}

void job_table_work(struct job_table *table)
{
    for (struct job *job = table->first, *next; job; job = next) {
        next = job->next;
        work(table, job);
    }
}

void job_table_free(struct job_table *table)
{
    for (struct job *job = table->first; job; job = job->next)
        if (job->process.pid)
            kill(job->process.pid, SIGTERM);
    while (table->first) {
        struct job *job = table->first;
        if (job->process.pid)
            spawned_end(&job->process, KILL_AFTER_MS_FROM_OUTSIDE);
        remove_job(table, job);
    }
    close_shells(table, NULL);
    free(table->shells);
    config_free(table->config);
    table->config = NULL;
}
