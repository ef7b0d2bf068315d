/* scopefs-exec: runs a command in the view of a scope, and nowhere else. */
#include "config.h"

#include "approval.h"
#include "cgroup.h"
#include "cgroup_plan.h"
#include "dry_run.h"
#include "facts.h"
#include "identity.h"
#include "invocation.h"
#include "plan.h"
#include "probe.h"
#include "process.h"
#include "result.h"
#include "sandbox.h"
#include "scopefs/config.h"
#include "scopefs/diagnostics.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"
#include "seccomp_filter.h"
#include "session_attach.h"
#include "session_call.h"
#include "session_command.h"
#include "session_host.h"
#include "supervise.h"
#include "tool_server.h"
#include "view_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* As timeout(1) and env(1) have them. */
enum { STATUS_TIMED_OUT = 124, STATUS_FAILED = 125, STATUS_SIGNAL = 128 };

/* A folder would lead to all of the host's files, by "..". */
static int check_stream(int fd, const char *name, struct error **error)
{
    struct stat found;
    return fstat(fd, &found) == 0 && S_ISDIR(found.st_mode)
               ? error_set(error, 0,
                           "%s: it is a folder, from which a command would find its way "
                           "to the host's files",
                           name)
               : 0;
}

static int check_streams(struct error **error)
{
    return check_stream(STDIN_FILENO, "standard input", error) < 0 ||
                   check_stream(STDOUT_FILENO, "standard output", error) < 0 ||
                   check_stream(STDERR_FILENO, "standard error", error) < 0
               ? -1
               : 0;
}

/* Whatever else the caller had open is nobody's business here, and the standard three exist, so
 * that no other descriptor can be mistaken for them. `kept` or -1 is left to us. */
static int tidy_descriptors(int kept, struct error **error)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return error_set(error, errno, "cannot open /dev/null");
    if (kept > STDERR_FILENO) {
        if (fcntl(kept, F_SETFD, FD_CLOEXEC) == 0 &&
            (kept == STDERR_FILENO + 1 ||
             close_range(STDERR_FILENO + 1, (unsigned)kept - 1, 0) == 0) &&
            close_range((unsigned)kept + 1, ~0U, 0) == 0)
            return 0;
    } else if (close_range(STDERR_FILENO + 1, ~0U, 0) == 0) {
        return 0;
    }
    return error_set(error, errno, "cannot close descriptors");
}

static struct config *load_config(const char *file, struct error **error)
{
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    struct config *config = config_load(file, &diagnostics);
    diagnostics_print(&diagnostics, stderr);
    if (!config)
        error_set(error, 0, "%s has errors; nothing was run", file);
    return config;
}

static void free_config(struct config **config)
{
    if (*config)
        config_free(*config);
}

/* What --json keeps of each stream unless the scope says. */
#define MAX_OUTPUT (1U << 20)

struct job {
    const char *config_file;
    uint64_t config_digest;
    const struct scope *scope;
    const struct invocation *invocation;
    struct identity identity;
    int input; /* of the command; -1: the caller's */
};

static void report(const struct error *error)
{
    if (error)
        fprintf(stderr, "%s: %s\n", invocation_command.name, error->message);
}

static int print_plan(const struct job *job, struct sandbox_plan *plan, struct error **error)
{
    struct view_mount view;
    if (view_mount_look(&view, job->scope, job->config_file, &job->identity, error) < 0)
        return STATUS_FAILED;
    sandbox_plan_set_view(plan, view.path);
    int result =
        dry_run_print(stdout, plan, job->scope, job->config_file, &view, &job->identity, error);
    view_mount_close(&view, NULL);
    return result == 0 ? 0 : STATUS_FAILED;
}

static int status_of(const struct job *job, const struct outcome *outcome, const char *bwrap,
                     const struct sandbox_plan *plan, struct error **error)
{
    if (outcome->interrupted)
        return STATUS_SIGNAL + outcome->interrupted;
    if (outcome->timed_out)
        return STATUS_TIMED_OUT;
    if (outcome->came_up)
        return outcome->exit_status;
    if (!outcome->refused)
        probe_explain(bwrap, plan->share_network, &job->identity, error);
    return STATUS_FAILED;
}

static bool is_followed(const struct job *job)
{
    return job->invocation->json || job->invocation->report >= 0;
}

static void report_memory(const struct job *job, const struct cgroup_usage *usage)
{
    if (usage->out_of_memory && job->scope->exec.limits.memory)
        fprintf(stderr,
                "%s: out of memory: the kernel killed %llu process%s of the command at the limit "
                "of %llu bytes\n",
                invocation_command.name, usage->out_of_memory, usage->out_of_memory > 1 ? "es" : "",
                job->scope->exec.limits.memory);
}

static int run_sandbox(const struct job *job, struct sandbox_plan *plan,
                       const struct sandbox_start *start, struct supervisor *supervisor,
                       struct result *result, struct error **error)
{
    struct outcome *outcome = &result->outcome;
    if (supervisor_adopt(supervisor, error) < 0 ||
        sandbox_start(&result->sandbox, plan, start, error) < 0)
        return STATUS_FAILED;
    supervisor_watch(supervisor, &result->sandbox, plan, outcome);
    cgroup_read(start->cgroup, &result->usage);
    report_memory(job, &result->usage);
    const struct strbuf *complaint = &result->sandbox.errors.kept;
    if (!outcome->came_up && complaint->length)
        fwrite(complaint->bytes, 1, complaint->length, stderr);
    return status_of(job, outcome, start->bwrap, plan, error);
}

static int run_in_view(const struct job *job, struct sandbox_plan *plan,
                       const struct view_mount *view, const char *bwrap,
                       struct supervisor *supervisor, struct result *result, struct error **error)
{
    cleanup_cgroup struct cgroup cgroup = {0};
    cleanup_free char *program = job->invocation->tool_server ? tool_server_path() : NULL;
    unsigned long long kept = job->scope->exec.limits.max_output;
    unsigned measured = job->invocation->json ? CGROUP_MEMORY | CGROUP_CPU_TIME : 0U;
    int interrupted = supervisor_interrupted(supervisor);
    if (interrupted)
        return STATUS_SIGNAL + interrupted;
    if (cgroup_open_for_plan(&cgroup, job->scope, measured, is_followed(job), plan, error) < 0)
        return STATUS_FAILED;
    sandbox_plan_set_view(plan, view->path);
    const struct sandbox_start start = {
        .bwrap = bwrap,
        .scope = job->scope,
        .view = view,
        .identity = &job->identity,
        .cgroup = &cgroup,
        .program = program,
        .input = job->input,
        .capture = job->invocation->json,
        .capture_limit = kept ? (size_t)kept : MAX_OUTPUT,
        .follow = is_followed(job),
    };
    return run_sandbox(job, plan, &start, supervisor, result, error);
}

/* The view that --view names, or the scope's own, or a private one. */
static int open_view(const struct job *job, struct view_mount *view, int interrupt_fd,
                     struct error **error)
{
    if (job->invocation->view)
        return view_mount_use(view, job->scope, job->config_file, &job->identity, error);
    return view_mount_open(view, job->scope, job->config_file, &job->identity, interrupt_fd, error);
}

static int run_plan(const struct job *job, struct sandbox_plan *plan, struct result *result,
                    struct error **error)
{
    cleanup_supervisor struct supervisor supervisor = {.signals = -1, .interrupts = -1};
    cleanup_error struct error *close_error = NULL;
    cleanup_free char *bwrap = probe_find_bwrap(job->scope, error);
    struct view_mount view;
    if (!bwrap)
        return STATUS_FAILED;
    if (supervisor_prepare(&supervisor, error) < 0)
        return STATUS_FAILED;
    if (open_view(job, &view, supervisor.interrupts, error) < 0) {
        int interrupted = supervisor_interrupted(&supervisor);
        return interrupted ? STATUS_SIGNAL + interrupted : STATUS_FAILED;
    }
    int status = run_in_view(job, plan, &view, bwrap, &supervisor, result, error);
    /* The command has run, or not: that is what the exit status tells. */
    if (view_mount_close(&view, &close_error) < 0)
        report(close_error);
    return status;
}

/* To whom --report gives it, the rule's place in the owner's file is not told. */
static void report_result(struct result *result, const struct invocation *invocation)
{
    FILE *stream = fdopen(invocation->report, "w");
    if (!stream)
        return;
    if (result->refused)
        result->error = "a rule of the scope refuses this command";
    result_print(result, false, stream);
    fclose(stream);
}

static int call_session(const struct job *job, struct result *result, struct error **error)
{
    unsigned long long kept = job->scope->exec.limits.max_output;
    const struct session_request request = {
        .config_file = job->config_file,
        .config_digest = job->config_digest,
        .scope = job->scope,
        .invocation = job->invocation,
        .input = job->input,
        .capture = job->invocation->json,
        .capture_limit = kept ? (size_t)kept : MAX_OUTPUT,
    };
    if (job->invocation->tty)
        return session_attach(&request, error);
    int status = session_call(&request, result, error);
    report_memory(job, &result->usage);
    return status;
}

static int serve_session(const struct job *job, struct error **error)
{
    const struct session_host_setup setup = {
        .config_file = job->config_file,
        .config_digest = job->config_digest,
        .scope = job->scope,
        .identity = &job->identity,
        .name = job->invocation->session,
        .is_given_view = job->invocation->view != NULL,
        .is_terminal = job->invocation->tty,
    };
    return session_host_run(&setup, error) < 0 ? STATUS_FAILED : 0;
}

/* Without a plan the command runs in a session, which has its own. */
static int run_and_tell(const struct job *job, struct sandbox_plan *plan, struct error **error)
{
    struct result result = {
        .scope_name = job->scope->name,
        .sandbox = SANDBOX_NONE,
    };
    int status = STATUS_FAILED;
    result.refused =
        approval_get(job->scope, job->invocation->request.command, job->invocation->yes, error) < 0;
    if (!result.refused)
        status = plan ? run_plan(job, plan, &result, error) : call_session(job, &result, error);
    result.exit_status = status;
    result.error = error && *error ? (*error)->message : NULL;
    if (!job->invocation->session)
        result_add_usage(&result);
    if (job->invocation->json)
        result_print(&result, true, stdout);
    if (job->invocation->report >= 0) {
        report_result(&result, job->invocation);
        error_cleanup(error);
        *error = NULL;
    }
    sandbox_free(&result.sandbox);
    free(result.session_connections);
    return status;
}

/* Plans the command first, so that what cannot be planned mounts nothing. */
static int do_command(const struct job *job, struct error **error)
{
    __attribute__((cleanup(host_facts_free))) struct host_facts facts = {
        .uid = job->identity.uid, .gid = job->identity.gid, .environment = environ};
    cleanup_plan struct sandbox_plan plan = {0};
    struct sandbox_request request = job->invocation->request;
    request.scope = job->scope;
    if (host_facts_gather(&facts, job->scope, error) < 0 ||
        sandbox_plan_make(&plan, &request, &facts, error) < 0)
        return STATUS_FAILED;
    return job->invocation->dry_run ? print_plan(job, &plan, error)
                                    : run_and_tell(job, &plan, error);
}

/* What needs to know whom commands run as; who calls a session does not, and a host may take its
 * time to look accounts up. */
static int do_job(struct job *job, struct error **error)
{
    if (identity_choose(job->scope, &job->identity, error) < 0)
        return STATUS_FAILED;
    return job->invocation->serves_session ? serve_session(job, error) : do_command(job, error);
}

static int open_input(const char *file, int *input, struct error **error)
{
    *input = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    if (!file)
        return 0;
    return *input < 0 ? error_set(error, errno, "--stdin %s", file)
                      : check_stream(*input, "--stdin", error);
}

static void adjust_scope(struct scope *scope, const struct invocation *invocation)
{
    if (invocation->view)
        scope->mount = invocation->view;
    if (invocation->tool_server)
        tool_server_settings(&scope->exec);
}

static int find_job(const struct invocation *invocation, struct error **error)
{
    cleanup_free char *found = invocation->config_file ? NULL : config_find(error);
    struct job job = {.config_file = invocation->config_file ? invocation->config_file : found,
                      .invocation = invocation};
    if (!job.config_file)
        return STATUS_FAILED;
    __attribute__((cleanup(free_config))) struct config *config =
        load_config(job.config_file, error);
    const struct scope *scope = config ? config_scope(config, invocation->scope_name, error) : NULL;
    struct scope adjusted;
    if (scope) {
        adjusted = *scope;
        adjust_scope(&adjusted, invocation);
        job.scope = &adjusted;
    }
    if (!job.scope || open_input(invocation->input_file, &job.input, error) < 0)
        return STATUS_FAILED;
    job.config_digest = config->digest;
    int status = invocation->session && !invocation->serves_session && !invocation->dry_run
                     ? run_and_tell(&job, NULL, error)
                     : do_job(&job, error);
    fd_close(&job.input);
    return status;
}

static int print_filter(bool with_tracing, struct error **error)
{
    cleanup_strbuf struct strbuf program = {0};
    if (seccomp_filter_make(&program, with_tracing, error) < 0)
        return STATUS_FAILED;
    fwrite(program.bytes, 1, program.length, stdout);
    return fflush(stdout) == 0 ? 0 : STATUS_FAILED;
}

static int print_seccomp(const struct invocation *invocation, struct error **error)
{
    if (!invocation->scope_name)
        return print_filter(false, error);
    cleanup_free char *found = invocation->config_file ? NULL : config_find(error);
    const char *file = invocation->config_file ? invocation->config_file : found;
    __attribute__((cleanup(free_config))) struct config *config =
        file ? load_config(file, error) : NULL;
    const struct scope *scope = config ? config_scope(config, invocation->scope_name, error) : NULL;
    return scope ? print_filter(scope->exec.ptrace, error) : STATUS_FAILED;
}

static int do_invocation(const struct invocation *invocation, struct error **error)
{
    if (invocation->help) {
        options_print_help(&invocation_command, stdout);
        return 0;
    }
    if (invocation->version) {
        puts("scopefs-exec " PACKAGE_VERSION);
        return 0;
    }
    if (invocation->session_command)
        return session_command(invocation->session_command, error);
    return invocation->print_seccomp ? print_seccomp(invocation, error)
                                     : find_job(invocation, error);
}

static void report_usage(const struct error *error)
{
    fprintf(stderr, "%s: %s\nTry '%s --help'.\n", invocation_command.name, error->message,
            invocation_command.name);
}

int main(int argc, char **argv)
{
    cleanup_error struct error *error = NULL;
    struct invocation invocation;
    int status = STATUS_FAILED;
    /* Ignored by inheritance, children would be gone before anybody has read their status. */
    signal(SIGCHLD, SIG_DFL);
    if (invocation_parse(&invocation, argc, argv, &error) < 0) {
        report_usage(error);
    } else if (tidy_descriptors(invocation.report, &error) < 0 || check_streams(&error) < 0) {
        report(error);
    } else {
        status = do_invocation(&invocation, &error);
        report(error);
    }
    invocation_free(&invocation);
    return status;
}
