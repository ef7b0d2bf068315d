#include "session_command.h"

#include "clock.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/options.h"
#include "scopefs/strbuf.h"
#include "session_folder.h"
#include "session_protocol.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { STATUS_OK = 0, STATUS_NONE = 1, STATUS_FAILED = 125 };
/* A session answers at once, unless its process was stopped. */
enum { PATIENCE_MS = 5000 };

static const struct option_row list_rows[] = {
    {"json", 'j', NULL, "print one JSON object per session and line"},
    {"help", 'h', NULL, "print this help"},
    {0},
};

static const struct option_row close_rows[] = {
    {"help", 'h', NULL, "print this help"},
    {0},
};

static const struct command list_command = {
    .name = "scopefs-exec session list",
    .synopsis = "[--json] [SCOPE [NAME]]",
    .purpose = "Lists the caller's sessions.",
    .options = list_rows,
};

static const struct command close_command = {
    .name = "scopefs-exec session close",
    .synopsis = "[SCOPE [NAME]]",
    .purpose = "Ends the session, or all sessions of the scope, or all, with what runs in them.",
    .options = close_rows,
};

struct options {
    bool json, help;
    bool has_printed;
    size_t count;
    int failed; /* sessions that did not do as they were told */
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    struct options *options = context;
    (void)argument;
    (void)error;
    if (row->letter == 'j')
        options->json = true;
    else
        options->help = true;
    return 0;
}

/* Whether there is something to read before `deadline`. */
static bool wait_for_answer(int socket, int64_t deadline)
{
    struct pollfd source = {.fd = socket, .events = POLLIN};
    int found;
    do {
        found = poll(&source, 1, clock_poll_time(deadline));
    } while (found < 0 && errno == EINTR);
    return found > 0;
}

/* --- list --- */

static void print_age(int64_t since)
{
    int64_t seconds = (int64_t)time(NULL) - since;
    if (seconds < 0)
        seconds = 0;
    if (seconds < 3600)
        printf(" %4lld:%02lld", (long long)seconds / 60, (long long)seconds % 60);
    else
        printf(" %4lldh%02lld", (long long)seconds / 3600, (long long)seconds / 60 % 60);
}

static void print_line(const struct session_name *session, const struct session_message *answer)
{
    const struct session_state *state = &answer->state;
    printf("%-20s %-16s %7lld %-5s %6llu %7llu", session->scope, session->name,
           (long long)state->process, answer->flags & SESSION_IS_BUSY ? "busy" : "idle",
           (unsigned long long)state->calls, (unsigned long long)state->waiting);
    print_age(state->started);
    print_age(state->used);
    putchar('\n');
}

static void print_json(const struct session_name *session, const struct session_message *answer)
{
    cleanup_strbuf struct strbuf text = {0};
    const struct session_state *state = &answer->state;
    strbuf_add_text(&text, "{\"scope\":");
    strbuf_add_json(&text, session->scope, strlen(session->scope));
    strbuf_add_text(&text, ",\"name\":");
    strbuf_add_json(&text, session->name, strlen(session->name));
    strbuf_add_format(&text,
                      ",\"pid\":%lld,\"busy\":%s,\"calls\":%llu,\"waiting\":%llu,"
                      "\"started\":%lld,\"used\":%lld,\"config\":",
                      (long long)state->process, answer->flags & SESSION_IS_BUSY ? "true" : "false",
                      (unsigned long long)state->calls, (unsigned long long)state->waiting,
                      (long long)state->started, (long long)state->used);
    strbuf_add_json(&text, answer->text, strlen(answer->text));
    strbuf_add_text(&text, "}\n");
    fwrite(text.bytes, 1, text.length, stdout);
}

static bool list_one(void *context, int folder, const struct session_name *session)
{
    struct options *options = context;
    struct session_message message = {.kind = SESSION_LOOK};
    cleanup_fd int socket = session_connect(folder, session);
    if (socket < 0 || session_send(socket, &message, NULL, 0) < 0 ||
        !wait_for_answer(socket, clock_deadline(PATIENCE_MS)) ||
        !session_receive(socket, &message, NULL, 0) || message.kind != SESSION_STATE)
        return true;
    if (options->json) {
        print_json(session, &message);
        return true;
    }
    if (!options->has_printed)
        printf("%-20s %-16s %7s %-5s %6s %7s %7s %7s\n", "SCOPE", "NAME", "PID", "STATE", "CALLS",
               "WAITING", "AGE", "IDLE");
    options->has_printed = true;
    print_line(session, &message);
    return true;
}

/* --- close --- */

static bool close_one(void *context, int folder, const struct session_name *session)
{
    struct options *options = context;
    struct session_message message = {.kind = SESSION_CLOSE};
    cleanup_fd int socket = session_connect(folder, session);
    if (socket < 0)
        return true;
    options->count++;
    int64_t deadline = clock_deadline(12UL * PATIENCE_MS);
    bool told = session_send(socket, &message, NULL, 0) == 0;
    /* The end of the connection is the end of the session. */
    if (!told || !wait_for_answer(socket, deadline))
        options->failed++;
    return true;
}

/* --- Both --- */

static int count_words(char *const *words)
{
    int count = 0;
    while (words[count])
        count++;
    return count;
}

static int run(const struct command *command, session_visitor *each, char **argv,
               struct options *options, struct error **error)
{
    int operands = options_parse(command, count_words(argv), argv, take_option, options, error);
    if (operands < 0)
        return -1;
    if (options->help) {
        options_print_help(command, stdout);
        return 0;
    }
    if (operands > 2)
        return error_set(error, 0, "%s: name a scope, and a session of it", command->name);
    const struct session_name wanted = {operands > 0 ? argv[1] : NULL,
                                        operands > 1 ? argv[2] : NULL};
    cleanup_fd int folder = session_folder_open(NULL, error);
    if (folder < 0)
        return -1;
    session_folder_visit(folder, &wanted, each, options);
    return fflush(stdout) == 0 ? 0 : error_set(error, errno, "cannot write");
}

int session_command(char **argv, struct error **error)
{
    struct options options = {0};
    bool closes = strcmp(argv[0], "close") == 0;
    if (!closes && strcmp(argv[0], "list") != 0) {
        error_set(error, 0, "scopefs-exec session: it knows list and close, not '%s'", argv[0]);
        return STATUS_FAILED;
    }
    if (run(closes ? &close_command : &list_command, closes ? close_one : list_one, argv, &options,
            error) < 0)
        return STATUS_FAILED;
    if (!closes || options.help)
        return STATUS_OK;
    if (options.failed) {
        error_set(error, 0, "%d of the sessions did not end in time", options.failed);
        return STATUS_FAILED;
    }
    return options.count ? STATUS_OK : STATUS_NONE;
}
