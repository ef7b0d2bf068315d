#include "session_sandbox.h"

#include "cgroup_plan.h"
#include "facts.h"
#include "probe.h"
#include "process.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/mount_table.h"
#include "scopefs/sandbox_file.h"
#include "stage2.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* As ps(1) shows it; which shell it is, the first program inside finds out. */
static char shell[] = "bash", is_interactive[] = "-i";
char *const session_shell_command[] = {shell, is_interactive, NULL};

static int make_plan(struct session_sandbox *session, struct error **error)
{
    __attribute__((cleanup(host_facts_free))) struct host_facts facts = {
        .uid = session->identity->uid, .gid = session->identity->gid, .environment = environ};
    const struct sandbox_request request = {.scope = session->scope,
                                            .command = session_shell_command};
    if (host_facts_gather(&facts, session->scope, error) < 0)
        return -1;
    return sandbox_plan_make(&session->plan, &request, &facts, error);
}

static int run(struct session_sandbox *session, struct error **error)
{
    cleanup_fd int script =
        session_shell_prepare(&session->shell, session->scope->exec.limits.open_files, error);
    if (script < 0)
        return -1;
    const struct sandbox_start start = {
        .bwrap = session->bwrap,
        .scope = session->scope,
        .view = &session->view,
        .identity = session->identity,
        .cgroup = &session->cgroup,
        .is_session = true,
        .is_terminal = session->is_terminal,
        .input = script,
    };
    if (supervisor_adopt(&session->supervisor, error) < 0 ||
        sandbox_start(&session->sandbox, &session->plan, &start, error) < 0)
        return -1;
    session->is_running = true;
    return 0;
}

/* What is missing there, `scopefs ps` does not show; the session is as good. */
static void register_sandbox(struct session_sandbox *session)
{
    const struct sandbox_record record = {
        .scope = (char *)session->scope->name,
        .view_major = session->view.device_major,
        .view_minor = session->view.device_minor,
        .session = (char *)session->name,
    };
    session->run_file = sandbox_file_create(&record, NULL);
}

static int open_view(struct session_sandbox *session, struct error **error)
{
    if (session->is_given_view)
        return view_mount_use(&session->view, session->scope, session->config_file,
                              session->identity, error);
    return view_mount_open(&session->view, session->scope, session->config_file, session->identity,
                           session->supervisor.interrupts, error);
}

int session_sandbox_start(struct session_sandbox *session, struct error **error)
{
    session->supervisor = (struct supervisor){.signals = -1, .interrupts = -1};
    session->sandbox = (struct sandbox)SANDBOX_NONE;
    session->shell = (struct session_shell){.observer = -1, .script = -1, .null = -1};
    session->terminal.master = session->run_file = -1;
    session->bwrap = probe_find_bwrap(session->scope, error);
    if (!session->bwrap)
        return -1;
    if (supervisor_prepare(&session->supervisor, error) < 0 || make_plan(session, error) < 0)
        return -1;
    if (open_view(session, error) < 0)
        return -1;
    if (cgroup_open_for_plan(&session->cgroup, session->scope, CGROUP_MEMORY | CGROUP_CPU_TIME,
                             false, &session->plan, error) < 0)
        return -1;
    sandbox_plan_set_view(&session->plan, session->view.path);
    register_sandbox(session);
    return run(session, error);
}

/* --- The first program inside reports --- */

static void take_report(struct session_sandbox *session, struct msghdr *message)
{
    int *came = session->is_terminal ? &session->terminal.master : &session->shell.observer;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        struct ucred sender;
        if (part->cmsg_level != SOL_SOCKET)
            continue;
        if (part->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&sender, CMSG_DATA(part), sizeof(sender));
            session->shell.process = sender.pid;
        } else if (part->cmsg_type == SCM_RIGHTS && *came < 0) {
            memcpy(came, CMSG_DATA(part), sizeof(int));
        }
    }
}

static int explain(struct session_sandbox *session, bool refused, struct error **error)
{
    if (refused)
        return error_set(error, 0, "the sandbox did not come up; its own message is above");
    return probe_explain(session->bwrap, session->plan.share_network, session->identity, error);
}

int session_sandbox_hear(struct session_sandbox *session, struct error **error)
{
    char text = 0;
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control;
    struct iovec part = {.iov_base = &text, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    ssize_t size = recvmsg(session->sandbox.channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (size == 1)
        take_report(session, &message);
    fd_close(&session->sandbox.channel);
    if (size != 1 || text != STAGE2_READY[0] ||
        (session->shell.observer < 0 && session->terminal.master < 0))
        return explain(session, size == 1, error);
    if (session->is_terminal) {
        session->shell.state = SHELL_IDLE;
        return 1;
    }
    if (session_shell_greet(&session->shell) < 0)
        return error_set(error, errno, "the shell of the session takes in nothing");
    return 1;
}

/* --- Its life --- */

bool session_sandbox_has_view(const struct session_sandbox *session)
{
    cleanup_mount_table struct mount_table table = {0};
    if (mount_table_read(&table, NULL) < 0)
        return false;
    for (size_t i = 0; i < table.count; i++)
        if (table.rows[i].major == session->view.device_major &&
            table.rows[i].minor == session->view.device_minor && mount_row_is_view(&table.rows[i]))
            return true;
    return false;
}

void session_sandbox_reap(struct session_sandbox *session)
{
    int status;
    if (!session->is_running ||
        waitpid(session->sandbox.bwrap, &status, WNOHANG) != session->sandbox.bwrap)
        return;
    session->exit_status = process_exit_status(status);
    session->is_running = false;
}

void session_sandbox_free(struct session_sandbox *session)
{
    session_shell_free(&session->shell);
    session_terminal_free(&session->terminal);
    /* The first to die takes the others along. */
    if (session->is_running)
        kill(session->sandbox.bwrap, SIGKILL);
    if (session->sandbox.bwrap > 0)
        process_end_children(&session->supervisor.spared);
    sandbox_free(&session->sandbox);
    cgroup_close(&session->cgroup);
    sandbox_file_remove(&session->run_file);
    if (session->view.path)
        view_mount_close(&session->view, NULL);
    sandbox_plan_free(&session->plan);
    supervisor_free(&session->supervisor);
    free(session->bwrap);
}
