#include "host.h"

#include "../exec/identity.h"
#include "../exec/view_mount.h"
#include "host_jobs.h"
#include "job_spawn.h"
#include "scopefs/config.h"
#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORKER_PATIENCE_MS 5000

struct client {
    struct client *next; /* host.clients_lock */
    struct host *host;
    uint32_t session;
    message_sink *sink;
    void *context;
};

struct host {
    char *config_file, *scope_name;
    struct view_mount view;
    struct spawned worker;
    struct job_table jobs; /* the thread's */
    struct frame_input input;
    int channel; /* to the worker */
    int wake;    /* an eventfd: the thread shall end */
    pthread_t thread;
    pthread_mutex_t write_lock; /* the writing side of channel. Taken last */
    pthread_mutex_t clients_lock;
    struct client *clients; /* clients_lock; sinks are called under it */
    uint32_t last_session;  /* clients_lock */
    enum host_state { HOST_STARTING, HOST_READY, HOST_DEAD } state; /* clients_lock */
    pthread_cond_t changed;                                         /* of the state */
};

/* --- Frames --- */

/* With the write lock held. */
static void write_frame(struct host *host, const struct frame *frame, const void *bytes)
{
    /* Half a frame would be followed by nonsense. The thread then notices that the worker is gone.
     */
    if (frame_write(host->channel, frame, bytes) < 0)
        shutdown(host->channel, SHUT_RDWR);
}

static void send_frame(struct host *host, const struct frame *frame, const void *bytes)
{
    pthread_mutex_lock(&host->write_lock);
    write_frame(host, frame, bytes);
    pthread_mutex_unlock(&host->write_lock);
}

static void give_frame(void *context, const struct frame *frame, const void *bytes)
{
    send_frame(context, frame, bytes);
}

static enum answer_kind answer_kind(unsigned flags)
{
    return flags & FRAME_BEGINS      ? ANSWER_BEGINS
           : flags & FRAME_REFUSES   ? ANSWER_REFUSES
           : flags & FRAME_NO_METHOD ? ANSWER_NO_METHOD
                                     : ANSWER_USUAL;
}

static void deliver(struct host *host, const struct frame *frame, const char *bytes)
{
    const struct outgoing outgoing = {
        .exchange = frame->exchange,
        .bytes = bytes,
        .length = frame->length,
        .is_last = frame->flags & FRAME_LAST,
        .is_answer = frame->flags & FRAME_JSON,
        .kind = answer_kind(frame->flags),
    };
    pthread_mutex_lock(&host->clients_lock);
    for (struct client *client = host->clients; client; client = client->next)
        if (client->session == frame->session)
            client->sink(client->context, &outgoing);
    pthread_mutex_unlock(&host->clients_lock);
}

static void set_state(struct host *host, enum host_state state)
{
    pthread_mutex_lock(&host->clients_lock);
    host->state = state;
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->clients_lock);
}

static void take_frame(struct host *host, const struct frame *frame, const char *bytes)
{
    if (frame->type == FRAME_MESSAGE)
        deliver(host, frame, bytes);
    else if (frame->type == FRAME_READY)
        set_state(host, HOST_READY);
    else
        job_table_take(&host->jobs, frame, bytes);
}

/* --- The thread --- */

static void say_gone(struct host *host)
{
    const struct outgoing outgoing = {.is_last = true, .is_gone = true};
    pthread_mutex_lock(&host->clients_lock);
    host->state = HOST_DEAD;
    pthread_cond_broadcast(&host->changed);
    for (struct client *client = host->clients; client; client = client->next)
        client->sink(client->context, &outgoing);
    pthread_mutex_unlock(&host->clients_lock);
}

/* False when the worker is gone, or says what cannot be. */
static bool take_frames(struct host *host)
{
    struct frame frame;
    const char *bytes;
    int found;
    if (frame_input_fill(&host->input, host->channel) <= 0)
        return false;
    while ((found = frame_input_next(&host->input, &frame, &bytes)) > 0)
        take_frame(host, &frame, bytes);
    return found == 0;
}

/* Waits once and does what is to be done. False at the end. */
static bool turn(struct host *host)
{
    int timeout_ms = -1;
    cleanup_free struct pollfd *items =
        xcalloc(2 + job_table_descriptors(&host->jobs), sizeof(*items));
    items[0] = (struct pollfd){.fd = host->channel, .events = POLLIN};
    items[1] = (struct pollfd){.fd = host->wake, .events = POLLIN};
    size_t count = 2 + job_table_poll(&host->jobs, items + 2, &timeout_ms);
    if (poll(items, count, timeout_ms) < 0)
        return errno == EINTR;
    if (items[1].revents || (items[0].revents && !take_frames(host)))
        return false;
    job_table_work(&host->jobs);
    return true;
}

static void *serve(void *context)
{
    struct host *host = context;
    while (turn(host))
        ;
    /* The channel first: what a command still prints goes nowhere. */
    shutdown(host->channel, SHUT_RDWR);
    job_table_free(&host->jobs);
    spawned_end(&host->worker, WORKER_PATIENCE_MS);
    say_gone(host);
    return NULL;
}

static int start_worker(struct host *host)
{
    /* A worker that takes nothing for so long is as good as dead, and must hold up nobody. */
    static const struct timeval patience = {.tv_sec = 60};
    int ends[2];
    const struct spawn_place place = {host->config_file, host->scope_name, host->view.path};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    cleanup_fd int theirs = ends[1];
    host->channel = ends[0];
    if (setsockopt(host->channel, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
        return -1;
    return worker_spawn(&host->worker, &place, theirs);
}

/* The worker is its thread's child: it dies with the thread. */
static void *start_and_serve(void *context)
{
    struct host *host = context;
    if (start_worker(host) == 0)
        return serve(host);
    log_error("cannot start the worker of scope %s: %s", host->scope_name, strerror(errno));
    set_state(host, HOST_DEAD);
    return NULL;
}

/* --- Opening and closing --- */

static int start_thread(struct host *host, struct error **error)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failure = pthread_create(&host->thread, NULL, start_and_serve, host);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failure)
        return error_set(error, failure, "cannot start a thread");
    pthread_mutex_lock(&host->clients_lock);
    while (host->state == HOST_STARTING)
        pthread_cond_wait(&host->changed, &host->clients_lock);
    bool is_ready = host->state == HOST_READY;
    pthread_mutex_unlock(&host->clients_lock);
    if (is_ready)
        return 0;
    pthread_join(host->thread, NULL);
    return error_set(error, 0, "scope %s cannot be served", host->scope_name);
}

static struct host *host_new(const char *config_file, const char *scope_name)
{
    struct host *host = xcalloc(1, sizeof(*host));
    host->config_file = xstrdup(config_file);
    host->scope_name = xstrdup(scope_name);
    host->worker = (struct spawned){0, -1, -1, -1, -1};
    host->channel = -1;
    host->wake = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&host->write_lock, NULL);
    pthread_mutex_init(&host->clients_lock, NULL);
    pthread_cond_init(&host->changed, NULL);
    return host;
}

static int host_free(struct host *host, struct error **error)
{
    int result = host->view.path ? view_mount_close(&host->view, error) : 0;
    config_free(host->jobs.config);
    frame_input_free(&host->input);
    spawned_close(&host->worker);
    fd_close(&host->channel);
    fd_close(&host->wake);
    pthread_mutex_destroy(&host->write_lock);
    pthread_mutex_destroy(&host->clients_lock);
    pthread_cond_destroy(&host->changed);
    free(host->config_file);
    free(host->scope_name);
    free(host);
    return result;
}

/* Reads the configuration and brings up the view. */
static int open_view(struct host *host, struct error **error)
{
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    struct identity identity;
    struct config *config = config_load(host->config_file, &diagnostics);
    diagnostics_print(&diagnostics, stderr);
    if (!config)
        return error_set(error, 0, "%s has errors; nothing is served", host->config_file);
    host->jobs = (struct job_table){.config_file = host->config_file,
                                    .scope_name = host->scope_name,
                                    .config = config,
                                    .give = give_frame,
                                    .context = host};
    const struct scope *scope = config_scope(config, host->scope_name, error);
    if (!scope || identity_choose(scope, &identity, error) < 0 ||
        view_mount_open(&host->view, scope, host->config_file, &identity, -1, error) < 0)
        return -1;
    host->jobs.view = host->view.path;
    return 0;
}

struct host *host_open(const char *config_file, const char *scope_name, struct error **error)
{
    struct host *host = host_new(config_file, scope_name);
    if (open_view(host, error) == 0 && start_thread(host, error) == 0)
        return host;
    host_free(host, NULL);
    return NULL;
}

bool host_is_alive(struct host *host)
{
    pthread_mutex_lock(&host->clients_lock);
    bool is_alive = host->state == HOST_READY;
    pthread_mutex_unlock(&host->clients_lock);
    return is_alive;
}

int host_close(struct host *host, struct error **error)
{
    (void)!eventfd_write(host->wake, 1);
    pthread_join(host->thread, NULL);
    return host_free(host, error);
}

/* --- Clients --- */

struct client *client_open(struct host *host, message_sink *sink, void *context)
{
    struct client *client = xcalloc(1, sizeof(*client));
    client->host = host;
    client->sink = sink;
    client->context = context;
    pthread_mutex_lock(&host->clients_lock);
    bool is_alive = host->state == HOST_READY;
    client->session = ++host->last_session;
    client->next = host->clients;
    if (is_alive)
        host->clients = client;
    pthread_mutex_unlock(&host->clients_lock);
    if (!is_alive) {
        free(client);
        return NULL;
    }
    const struct frame frame = {.type = FRAME_OPEN, .session = client->session};
    send_frame(host, &frame, NULL);
    return client;
}

static void add_header(struct strbuf *text, const char *value)
{
    strbuf_add(text, value ? "+" : "-", 1);
    strbuf_add(text, value ? value : "", (value ? strlen(value) : 0) + 1);
}

static void write_mirrored(struct client *client, const struct mirrored *mirrored)
{
    cleanup_strbuf struct strbuf text = {0};
    add_header(&text, mirrored->version);
    add_header(&text, mirrored->method);
    add_header(&text, mirrored->name);
    const struct frame frame = {
        .length = (uint32_t)text.length, .type = FRAME_HEADERS, .session = client->session};
    write_frame(client->host, &frame, text.bytes);
}

void client_receive(struct client *client, uint64_t exchange, const struct mirrored *mirrored,
                    const char *bytes, size_t length)
{
    struct host *host = client->host;
    bool fits = length <= MESSAGE_LIMIT;
    const struct frame frame = {
        .length = fits ? (uint32_t)length : 0,
        .type = fits ? FRAME_MESSAGE : FRAME_OVERSIZED,
        .session = client->session,
        .exchange = exchange,
    };
    pthread_mutex_lock(&host->write_lock);
    if (mirrored)
        write_mirrored(client, mirrored);
    write_frame(host, &frame, bytes);
    pthread_mutex_unlock(&host->write_lock);
}

void client_cancel(struct client *client, uint64_t exchange)
{
    const struct frame frame = {
        .type = FRAME_CANCEL, .session = client->session, .exchange = exchange};
    send_frame(client->host, &frame, NULL);
}

void client_close(struct client *client)
{
    struct host *host = client->host;
    const struct frame frame = {.type = FRAME_CLOSE, .session = client->session};
    send_frame(host, &frame, NULL);
    pthread_mutex_lock(&host->clients_lock);
    struct client **place = &host->clients;
    while (*place != client)
        place = &(*place)->next;
    *place = client->next;
    pthread_mutex_unlock(&host->clients_lock);
    free(client);
}
