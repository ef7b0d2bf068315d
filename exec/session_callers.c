#include "session_callers.h"

#include "clock.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CALLERS 128

static bool is_owner(int socket)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

static void add(struct session_callers *callers, int socket)
{
    struct session_caller *caller = xcalloc(1, sizeof(*caller));
    caller->socket = socket;
    caller->deadline = CLOCK_NEVER;
    for (size_t i = 0; i < SESSION_DESCRIPTORS; i++)
        caller->fds[i] = -1;
    callers->items = xreallocarray(callers->items, callers->count + 1, sizeof(*callers->items));
    callers->items[callers->count++] = caller;
}

void session_callers_accept(struct session_callers *callers, int listener)
{
    for (int socket; (socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
        if (!is_owner(socket)) {
            close(socket);
            continue;
        }
        add(callers, socket);
        if (callers->count > MAX_CALLERS)
            session_caller_answer(callers->items[callers->count - 1], SESSION_REFUSED, 0, 0,
                                  "too many callers wait for the session");
    }
}

static void free_caller(struct session_caller *caller)
{
    fd_close(&caller->socket);
    for (size_t i = 0; i < SESSION_DESCRIPTORS; i++)
        fd_close(&caller->fds[i]);
    free(caller);
}

void session_callers_sweep(struct session_callers *callers, const struct session_caller *running)
{
    size_t kept = 0;
    for (size_t i = 0; i < callers->count; i++) {
        struct session_caller *caller = callers->items[i];
        if (caller->socket >= 0 || caller == running)
            callers->items[kept++] = caller;
        else
            free_caller(caller);
    }
    callers->count = kept;
}

struct session_caller *session_callers_next(const struct session_callers *callers)
{
    for (size_t i = 0; i < callers->count; i++)
        if (callers->items[i]->has_call && callers->items[i]->socket >= 0)
            return callers->items[i];
    return NULL;
}

void session_caller_dismiss(struct session_caller *caller, struct session_message *message, int fd)
{
    if (caller->socket >= 0)
        session_send(caller->socket, message, &fd, fd >= 0);
    fd_close(&caller->socket);
}

void session_caller_answer(struct session_caller *caller, enum session_message_kind kind,
                           int number, unsigned flags, const char *text)
{
    struct session_message message = {.kind = kind, .number = number, .flags = flags};
    snprintf(message.text, sizeof(message.text), "%s", text ? text : "");
    session_caller_dismiss(caller, &message, -1);
}

void session_callers_free(struct session_callers *callers)
{
    for (size_t i = 0; i < callers->count; i++)
        free_caller(callers->items[i]);
    free(callers->items);
    *callers = (struct session_callers){0};
}
