#include "session_start.h"

#include "process.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the first caller ignores is nothing to the session. */
static void heed_signals(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
}

/* A new process image: the caller's command line, with the command on it, is not kept for hours. */
static _Noreturn void become_host(const struct session_name *session, const char *config_file,
                                  const char *view, bool is_terminal, int report)
{
    const char *arguments[12] = {"scopefs-exec", "--config", config_file};
    size_t count = 3;
    if (view) {
        arguments[count++] = "--view";
        arguments[count++] = view;
    }
    if (is_terminal)
        arguments[count++] = "--tty";
    arguments[count++] = "session";
    arguments[count++] = SESSION_SERVE;
    arguments[count++] = session->scope;
    arguments[count++] = session->name;
    /* By its path: ps(1) and `scopefs gc` know it by its name. */
    char *program = runtime_program("scopefs-exec");
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    process_prepare_child();
    heed_signals();
    /* Twice, so that the session is nobody's child. */
    if (setsid() < 0 && errno != EPERM)
        _exit(125);
    pid_t child = fork();
    if (child != 0)
        _exit(child > 0 ? 0 : 125);
    setsid();
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(report, STDOUT_FILENO) >= 0 &&
        chdir("/") == 0)
        execv(program, (char *const *)arguments);
    dprintf(report, "cannot start the process of a session: %s", strerror(errno));
    _exit(125);
}

static int start(const struct session_name *session, const char *config_file, const char *view,
                 bool is_terminal, struct error **error)
{
    int ends[2];
    char text[1024];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(error, errno, "cannot make a pipe");
    pid_t child = fork();
    if (child == 0)
        become_host(session, config_file, view, is_terminal, ends[1]);
    close(ends[1]);
    cleanup_fd int report = ends[0];
    if (child < 0)
        return error_set(error, errno, "cannot start the process of a session");
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    size_t length = 0;
    for (ssize_t size; length < sizeof(text) - 1; length += (size_t)size)
        if ((size = read(report, text + length, sizeof(text) - 1 - length)) <= 0)
            break;
    text[length] = '\0';
    if (strcmp(text, "ok") == 0)
        return 0;
    return error_set(error, 0, "%s", length ? text : "the process of the session has died");
}

static bool nobody_is_there(void)
{
    return errno == ENOENT || errno == ECONNREFUSED;
}

static int explain(const struct session_name *session, struct error **error)
{
    if (errno == EPERM)
        return error_set(error, 0,
                         "who answers for session %s is somebody else, or runs in a sandbox; "
                         "nothing was said to it",
                         session->name);
    return error_set(error, errno, "cannot connect to session %s", session->name);
}

int session_reach(int folder, const struct session_name *session, const struct scope *scope,
                  const char *config_file, const char *view, bool is_terminal, struct error **error)
{
    int socket = session_connect(folder, session);
    if (socket >= 0)
        return socket;
    if (!nobody_is_there())
        return explain(session, error);
    cleanup_fd int lock = session_folder_lock(folder, error);
    if (lock < 0)
        return -1;
    /* Somebody else may have started it until the lock was free. */
    socket = session_connect(folder, session);
    if (socket >= 0)
        return socket;
    if (!nobody_is_there())
        return explain(session, error);
    if (session_count(folder, session->scope) >= scope->exec.session_count)
        return error_set(error, 0,
                         "scope %s has %llu sessions already; close one (scopefs-exec session "
                         "close %s NAME), or allow more (sessions = in [exec %s])",
                         session->scope, scope->exec.session_count, session->scope, session->scope);
    if (start(session, config_file, view, is_terminal, error) < 0)
        return -1;
    socket = session_connect(folder, session);
    return socket >= 0 ? socket : explain(session, error);
}
