/* scopefs-exec: runs a command in the view of a scope, and nowhere else. */
#include "config.h"

#include "dry_run.h"
#include "facts.h"
#include "identity.h"
#include "plan.h"
#include "probe.h"
#include "process.h"
#include "sandbox.h"
#include "scopefs/config.h"
#include "scopefs/diagnostics.h"
#include "scopefs/duration.h"
#include "scopefs/mem.h"
#include "scopefs/options.h"
#include "scopefs/strbuf.h"
#include "seccomp_filter.h"
#include "supervise.h"
#include "view_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* As timeout(1) and env(1) have them. */
enum { STATUS_TIMED_OUT = 124, STATUS_FAILED = 125, STATUS_SIGNAL = 128 };

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read scopes from FILE"},
    {"workdir", 'w', "DIR", "start in DIR of the view"},
    {"env", 'e', "NAME=VALUE", "set a variable for the command; may be repeated"},
    {"timeout", 't', "DURATION", "end it after that time (90s, 5m, 0: never)"},
    {"dry-run", 'n', NULL, "print the bwrap command line instead of running it"},
    {"print-seccomp", 0, NULL, "write the system call filter that --dry-run refers to"},
    {"help", 'h', NULL, "print this help"},
    {"version", 0, NULL, "print the version"},
    {0},
};

static const struct command command_line = {
    .name = "scopefs-exec",
    .synopsis = "[OPTION...] SCOPE [--] COMMAND [ARGUMENT...]",
    .purpose = "Run a command in a sandbox whose workspace is the view of a scope.",
    .options = option_rows,
    .stop_at_operand = true,
};

struct invocation {
    const char *config_file;
    const char *scope_name;
    const char **environment; /* NULL-terminated */
    size_t environment_count;
    bool dry_run, print_seccomp, help, version;
    struct sandbox_request request;
};

static void add_environment(struct invocation *invocation, const char *assignment)
{
    invocation->environment =
        xreallocarray(invocation->environment, invocation->environment_count + 2,
                      sizeof(*invocation->environment));
    invocation->environment[invocation->environment_count++] = assignment;
    invocation->environment[invocation->environment_count] = NULL;
}

static int handle_option(void *context, const struct option_row *row, const char *argument,
                         struct error **error)
{
    struct invocation *invocation = context;
    if (strcmp(row->name, "config") == 0) {
        invocation->config_file = argument;
    } else if (strcmp(row->name, "workdir") == 0) {
        invocation->request.workdir = argument;
    } else if (strcmp(row->name, "env") == 0) {
        add_environment(invocation, argument);
    } else if (strcmp(row->name, "timeout") == 0) {
        invocation->request.has_timeout = true;
        if (!duration_parse(argument, &invocation->request.timeout_ms))
            return error_set(error, 0, "'%s' is no duration; " DURATION_SYNTAX, argument);
    } else if (strcmp(row->name, "dry-run") == 0) {
        invocation->dry_run = true;
    } else if (strcmp(row->name, "print-seccomp") == 0) {
        invocation->print_seccomp = true;
    } else if (strcmp(row->name, "help") == 0) {
        invocation->help = true;
    } else {
        invocation->version = true;
    }
    return 0;
}

/* argv must outlive the invocation; it ends with NULL afterwards. */
static int parse_command_line(struct invocation *invocation, int argc, char **argv,
                              struct error **error)
{
    int operands = options_parse(&command_line, argc, argv, handle_option, invocation, error);
    if (operands < 0)
        return -1;
    if (invocation->help || invocation->version || invocation->print_seccomp)
        return 0;
    argv[1 + operands] = NULL;
    int first_word = operands > 1 && strcmp(argv[2], "--") == 0 ? 3 : 2;
    if (operands < 1)
        return error_set(error, 0, "%s: name a scope and a command", command_line.name);
    if (first_word > operands)
        return error_set(error, 0, "%s: name a command to run in scope %s", command_line.name,
                         argv[1]);
    invocation->scope_name = argv[1];
    invocation->request.command = argv + first_word;
    invocation->request.environment = invocation->environment;
    return 0;
}

/* Whatever else the caller had open is nobody's business here, and the standard three exist, so
 * that no other descriptor can be mistaken for them. */
static int tidy_descriptors(struct error **error)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return error_set(error, errno, "cannot open /dev/null");
    if (close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
        return error_set(error, errno, "cannot close descriptors");
    return 0;
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

struct job {
    const char *config_file;
    const struct scope *scope;
    struct identity identity;
};

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

static int run_in_view(const struct job *job, struct sandbox_plan *plan,
                       const struct view_mount *view, const char *bwrap,
                       struct supervisor *supervisor, struct error **error)
{
    struct sandbox sandbox;
    struct outcome outcome;
    int interrupted = supervisor_interrupted(supervisor);
    if (interrupted)
        return STATUS_SIGNAL + interrupted;
    sandbox_plan_set_view(plan, view->path);
    if (supervisor_adopt(supervisor, error) < 0 ||
        sandbox_start(&sandbox, bwrap, plan, view, &job->identity, error) < 0)
        return STATUS_FAILED;
    supervisor_watch(supervisor, &sandbox, plan->timeout_ms, &outcome);
    return status_of(job, &outcome, bwrap, plan, error);
}

static void report(const struct error *error)
{
    if (error)
        fprintf(stderr, "%s: %s\n", command_line.name, error->message);
}

static int run_plan(const struct job *job, struct sandbox_plan *plan, struct error **error)
{
    cleanup_supervisor struct supervisor supervisor = {.signals = -1, .interrupts = -1};
    cleanup_error struct error *close_error = NULL;
    cleanup_free char *bwrap = process_find_program("bwrap");
    struct view_mount view;
    if (!bwrap) {
        probe_explain_no_bwrap(error);
        return STATUS_FAILED;
    }
    if (supervisor_prepare(&supervisor, error) < 0)
        return STATUS_FAILED;
    if (view_mount_open(&view, job->scope, job->config_file, &job->identity, supervisor.interrupts,
                        error) < 0) {
        int interrupted = supervisor_interrupted(&supervisor);
        return interrupted ? STATUS_SIGNAL + interrupted : STATUS_FAILED;
    }
    int status = run_in_view(job, plan, &view, bwrap, &supervisor, error);
    /* The command has run, or not: that is what the exit status tells. */
    if (view_mount_close(&view, &close_error) < 0)
        report(close_error);
    return status;
}

/* Plans the command first, so that what cannot be planned mounts nothing. */
static int do_job(const struct job *job, const struct invocation *invocation, struct error **error)
{
    __attribute__((cleanup(host_facts_free))) struct host_facts facts = {
        .uid = job->identity.uid, .gid = job->identity.gid, .environment = environ};
    cleanup_plan struct sandbox_plan plan = {0};
    struct sandbox_request request = invocation->request;
    request.scope = job->scope;
    host_facts_gather(&facts);
    if (sandbox_plan_make(&plan, &request, &facts, error) < 0)
        return STATUS_FAILED;
    return invocation->dry_run ? print_plan(job, &plan, error) : run_plan(job, &plan, error);
}

static int find_job(const struct invocation *invocation, struct error **error)
{
    cleanup_free char *found = invocation->config_file ? NULL : config_find(error);
    struct job job = {.config_file = invocation->config_file ? invocation->config_file : found};
    if (!job.config_file)
        return STATUS_FAILED;
    __attribute__((cleanup(free_config))) struct config *config =
        load_config(job.config_file, error);
    job.scope = config ? config_scope(config, invocation->scope_name, error) : NULL;
    if (!job.scope || identity_choose(job.scope, &job.identity, error) < 0)
        return STATUS_FAILED;
    return do_job(&job, invocation, error);
}

static int print_seccomp(struct error **error)
{
    cleanup_strbuf struct strbuf program = {0};
    if (seccomp_filter_make(&program, error) < 0)
        return STATUS_FAILED;
    fwrite(program.bytes, 1, program.length, stdout);
    return fflush(stdout) == 0 ? 0 : STATUS_FAILED;
}

static int do_invocation(const struct invocation *invocation, struct error **error)
{
    if (invocation->help) {
        options_print_help(&command_line, stdout);
        return 0;
    }
    if (invocation->version) {
        puts("scopefs-exec " PACKAGE_VERSION);
        return 0;
    }
    return invocation->print_seccomp ? print_seccomp(error) : find_job(invocation, error);
}

static void report_usage(const struct error *error)
{
    fprintf(stderr, "%s: %s\nTry '%s --help'.\n", command_line.name, error->message,
            command_line.name);
}

int main(int argc, char **argv)
{
    cleanup_error struct error *error = NULL;
    struct invocation invocation = {0};
    int status = STATUS_FAILED;
    if (tidy_descriptors(&error) < 0) {
        report(error);
    } else if (parse_command_line(&invocation, argc, argv, &error) < 0) {
        report_usage(error);
    } else {
        status = do_invocation(&invocation, &error);
        report(error);
    }
    free(invocation.environment);
    return status;
}
