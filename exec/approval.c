#include "approval.h"

#include "process.h"
#include "scopefs/command_rules.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void describe(struct strbuf *text, const struct scope *scope,
                     const struct command_rule *rule, char *const *command)
{
    cleanup_free char *place = xasprintf("%s:%u", rule->place.file, rule->place.line);
    strbuf_add_text(text, "{\"scope\":");
    strbuf_add_json(text, scope->name, strlen(scope->name));
    strbuf_add_text(text, ",\"command\":[");
    for (size_t i = 0; command[i]; i++) {
        strbuf_add_text(text, i ? "," : "");
        strbuf_add_json(text, command[i], strlen(command[i]));
    }
    strbuf_add_text(text, "],\"rule\":");
    strbuf_add_json(text, rule->pattern, strlen(rule->pattern));
    strbuf_add_text(text, ",\"place\":");
    strbuf_add_json(text, place, strlen(place));
    strbuf_add_text(text, "}\n");
}

static int refuse(const struct command_rule *rule, const char *how, struct error **error)
{
    return error_set(error, 0, "the command is %s by %s:%u: %s = %s; nothing was run", how,
                     rule->place.file, rule->place.line,
                     rule->verdict == COMMAND_DENY ? "deny" : "ask", rule->pattern);
}

static _Noreturn void become_approver(const char *program, int input)
{
    /* It stays in the caller's process group, so that it may ask at the terminal itself. What it
     * prints is for the caller's eyes, and no output of the command. */
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
        execl(program, program, (char *)NULL);
    fprintf(stderr, "scopefs-exec: approver = %s: %s\n", program, strerror(errno));
    _exit(125);
}

static int ask_program(const struct scope *scope, const struct command_rule *rule,
                       char *const *command, struct error **error)
{
    cleanup_strbuf struct strbuf text = {0};
    cleanup_fd int input = memfd_create("question", MFD_CLOEXEC);
    int status;
    describe(&text, scope, rule, command);
    if (input < 0 || fd_write_all(input, text.bytes, text.length) < 0 ||
        lseek(input, 0, SEEK_SET) < 0)
        return error_set(error, errno, "cannot ask the approver");
    pid_t child = fork();
    if (child == 0)
        become_approver(scope->exec.approver, input);
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            child = -1;
    if (child < 0)
        return error_set(error, errno, "cannot ask the approver");
    int answer = process_exit_status(status);
    if (answer > 1)
        return error_set(error, 0, "the approver %s failed with status %d; nothing was run",
                         scope->exec.approver, answer);
    return answer == 0 ? 0 : refuse(rule, "refused by the approver, who was asked", error);
}

static int ask_terminal(const struct scope *scope, const struct command_rule *rule,
                        char *const *command, struct error **error)
{
    cleanup_strbuf struct strbuf question = {0};
    cleanup_fd int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    char answer[16] = "";
    if (terminal < 0)
        return refuse(
            rule, "refused, because there is neither an approver nor a terminal to ask at,", error);
    strbuf_add_format(&question, "scopefs-exec: run in scope %s:", scope->name);
    for (size_t i = 0; command[i]; i++) {
        strbuf_add_text(&question, " ");
        strbuf_add_quoted(&question, command[i], strlen(command[i]));
    }
    strbuf_add_text(&question, " ? [y/N] ");
    if (fd_write_all(terminal, question.bytes, question.length) < 0 ||
        read(terminal, answer, sizeof(answer) - 1) < 0)
        return error_set(error, errno, "cannot ask at the terminal");
    answer[strcspn(answer, "\r\n")] = '\0';
    if (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0)
        return 0;
    return refuse(rule, "refused at the terminal, as asked for", error);
}

int approval_get(const struct scope *scope, char *const *command, bool yes, struct error **error)
{
    const struct exec_settings *settings = &scope->exec;
    const struct command_rule *rule =
        command_rules_decide(settings->command_rules, settings->command_rule_count, command);
    if (!rule || rule->verdict == COMMAND_ALLOW)
        return 0;
    if (rule->verdict == COMMAND_DENY)
        return refuse(rule, "refused", error);
    if (settings->approver)
        return ask_program(scope, rule, command, error);
    return yes ? 0 : ask_terminal(scope, rule, command, error);
}
