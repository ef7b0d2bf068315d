#include "http.h"

#include "http_state.h"
#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS      500
#define PEM_LIMIT    (1U << 20)
#define TLS_PRIORITY "SECURE128:+SECURE192:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

uint64_t http_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void http_wake(struct http *http)
{
    if (!http->is_woken)
        (void)!eventfd_write(http->wake, 1);
    http->is_woken = true;
}

/* --- The loop --- */

static void resume_ready(struct http *http)
{
    eventfd_t count;
    pthread_mutex_lock(&http->lock);
    (void)!eventfd_read(http->wake, &count);
    http->is_woken = false;
    while (http->ready) {
        struct request *request = http->ready;
        http->ready = request->next_ready;
        request->is_ready = false;
        if (request->is_suspended)
            MHD_resume_connection(request->mhd);
        request->is_suspended = false;
    }
    pthread_mutex_unlock(&http->lock);
}

static void begin_to_end(struct http *http)
{
    log_info(http->is_ending ? "ending at once" : "ending");
    if (!http->is_ending) {
        int fd = MHD_quiesce_daemon(http->daemon);
        if (fd != MHD_INVALID_SOCKET)
            close(fd);
    }
    http->end_at_ms = http_now_ms() + (http->is_ending ? 0 : http->settings->grace_ms);
    http->is_ending = true;
}

/* A session whose token is not there any more ends. */
static void end_unknown(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    for (struct served *served = http->scopes; served; served = served->next)
        for (struct http_session *session = served->sessions, *next; session; session = next) {
            const struct token *token = NULL;
            next = session->next;
            for (size_t i = 0; i < http->tokens->count && !token; i++)
                if (principal_equal(&http->tokens->items[i].principal, &session->principal))
                    token = &http->tokens->items[i];
            if (!token || !token_is_for(token, served->name))
                session_end(session);
        }
    pthread_mutex_unlock(&http->lock);
}

static void reload_tokens(struct http *http)
{
    cleanup_error struct error *error = NULL;
    if (!http->tokens)
        return;
    struct tokens *tokens = tokens_load(http->settings->tokens_file, &error);
    if (!tokens) {
        log_error("the tokens stay as they were: %s", error->message);
        return;
    }
    tokens_free(http->tokens);
    http->tokens = tokens;
    end_unknown(http);
    log_info("the tokens were read anew");
}

static void take_signals(struct http *http)
{
    struct signalfd_siginfo info;
    while (read(http->signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            reload_tokens(http);
        else
            begin_to_end(http);
    }
}

/* What waits for the client, not for an answer, ends at once. */
static void end_standing(struct http *http)
{
    for (struct connection *connection = http->connections; connection;
         connection = connection->next) {
        struct stream *stream = connection->request ? connection->request->stream : NULL;
        if (stream && stream->is_standing) {
            stream_wake(stream);
            stream_free(stream);
        }
    }
}

/* True when all is over. */
static bool go_on_ending(struct http *http, uint64_t now_ms)
{
    size_t running = 0;
    pthread_mutex_lock(&http->lock);
    end_standing(http);
    for (struct served *served = http->scopes; served; served = served->next)
        running += served->running;
    for (struct connection *connection = http->connections; connection;
         connection = connection->next)
        running += connection->request != NULL;
    if (running == 0 || now_ms >= http->end_at_ms)
        for (struct served *served = http->scopes; served; served = served->next)
            served_leave(served);
    bool is_over = !http->scopes && (running == 0 || now_ms >= http->end_at_ms);
    pthread_mutex_unlock(&http->lock);
    return is_over;
}

static void sweep(struct http *http, uint64_t now_ms)
{
    connections_sweep(http, now_ms);
    pthread_mutex_lock(&http->lock);
    served_sweep(http, now_ms);
    pthread_mutex_unlock(&http->lock);
}

/* -1 where nothing is due before something happens. */
static int patience(struct http *http, int fd)
{
    MHD_UNSIGNED_LONG_LONG milliseconds;
    (void)fd;
    bool has_work = http->connections || http->scopes || http->is_ending;
    if (MHD_get_timeout(http->daemon, &milliseconds) == MHD_YES && milliseconds < TICK_MS)
        return (int)milliseconds;
    return has_work ? TICK_MS : -1;
}

static void run(struct http *http)
{
    int fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    uint64_t swept_ms = 0;
    for (;;) {
        struct pollfd items[] = {
            {.fd = http->signals, .events = POLLIN},
            {.fd = http->wake, .events = POLLIN},
            {.fd = http->hangups, .events = POLLIN},
            {.fd = fd, .events = POLLIN},
        };
        if (poll(items, 4, patience(http, fd)) < 0 && errno != EINTR)
            return;
        uint64_t now_ms = http_now_ms();
        if (items[0].revents)
            take_signals(http);
        resume_ready(http);
        MHD_run(http->daemon);
        /* Only now what came before the end was read. */
        if (items[2].revents)
            connections_take_hangups(http);
        if (now_ms >= swept_ms + TICK_MS || http->is_ending) {
            sweep(http, now_ms);
            swept_ms = now_ms;
        }
        if (http->is_ending && go_on_ending(http, now_ms))
            return;
    }
}

/* --- Beginning and end --- */

static int open_descriptors(struct http *http, struct error **error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR &&
        (http->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) >= 0 &&
        (http->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) >= 0 &&
        (http->hangups = epoll_create1(EPOLL_CLOEXEC)) >= 0)
        return 0;
    return error_set(error, errno, "cannot wait for events");
}

/* So that no scope, with all the commands it may run, takes the descriptors of another one. What
 * the hard limit does not give is not had. */
static void raise_descriptors(const struct http_settings *settings)
{
    struct rlimit limit;
    rlim_t wanted = CONNECTIONS_AT_MOST + 64 + settings->max_scopes * DESCRIPTORS_OF_SCOPE;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
        log_warning("only %llu descriptors may be open; all scopes at once may need %llu",
                    (unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
}

/* New; NULL with *error set. */
static char *read_pem(const char *file, bool is_secret, struct error **error)
{
    struct stat status;
    char *text = NULL;
    size_t size;
    cleanup_fd int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        error_set(error, errno, "cannot open %s", file);
    else if (is_secret && (status.st_mode & 077))
        error_set(error, 0, "%s is open to others; mend it with: chmod 600 %s", file, file);
    else if (fd_read_file(fd, PEM_LIMIT, &text, &size) < 0)
        error_set(error, errno, "cannot read %s", file);
    return text;
}

/* A name stays as it was written: one that needs to be decoded is none of ours. */
static size_t leave_escaped(void *context, struct MHD_Connection *mhd, char *text)
{
    (void)context;
    (void)mhd;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void log_library(void *context, const char *format,
                                                              va_list arguments)
{
    cleanup_free char *text = NULL;
    (void)context;
    if (vasprintf(&text, format, arguments) < 0)
        return;
    text[strcspn(text, "\n")] = '\0';
    log_debug("libmicrohttpd: %s", text);
}

static int start_daemon(struct http *http, int fd, const char *certificate, const char *key,
                        struct error **error)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITY},
        {MHD_OPTION_END, 0, NULL},
    };
    http->daemon = MHD_start_daemon(
        certificate ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, request_handle, http,
        MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_NOTIFY_COMPLETED, request_end, http, MHD_OPTION_NOTIFY_CONNECTION,
        connection_notify, http, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_AT_MOST,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)ANSWER_PATIENCE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_ARRAY, certificate ? tls : tls + 3, MHD_OPTION_END);
    if (http->daemon)
        return 0;
    return error_set(error, 0,
                     certificate
                         ? "the server cannot start; are certificate and key PEM files that fit?"
                         : "the server cannot start");
}

static int start(struct http *http, struct error **error)
{
    const struct http_settings *settings = http->settings;
    cleanup_free char *certificate = NULL;
    cleanup_free char *key = NULL;
    if (settings->tokens_file && !(http->tokens = tokens_load(settings->tokens_file, error)))
        return -1;
    if (settings->tls_certificate &&
        (!(certificate = read_pem(settings->tls_certificate, false, error)) ||
         !(key = read_pem(settings->tls_key, true, error))))
        return -1;
    raise_descriptors(settings);
    cleanup_fd int fd = listen_open(&settings->place, error);
    if (fd < 0)
        return -1;
    listen_announce(&settings->place, fd, certificate != NULL);
    int result = start_daemon(http, fd, certificate, key, error);
    if (key)
        explicit_bzero(key, strlen(key));
    if (result == 0)
        fd_steal(&fd);
    else
        listen_remove(&settings->place);
    return result;
}

static void stop(struct http *http)
{
    resume_ready(http);
    if (http->daemon) {
        MHD_run(http->daemon);
        MHD_stop_daemon(http->daemon);
        listen_remove(&http->settings->place);
    }
    tokens_free(http->tokens);
    fd_close(&http->signals);
    fd_close(&http->wake);
    fd_close(&http->hangups);
    pthread_mutex_destroy(&http->opening);
    pthread_mutex_destroy(&http->lock);
}

int http_serve(const struct http_settings *settings, struct error **error)
{
    struct http http = {
        .settings = settings,
        .signals = -1,
        .wake = -1,
        .hangups = -1,
        .started_ms = http_now_ms(),
        .opening = PTHREAD_MUTEX_INITIALIZER,
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    int result = open_descriptors(&http, error);
    if (result == 0 && (result = start(&http, error)) == 0)
        run(&http);
    stop(&http);
    return result;
}
