/* Scopes that are up: each has a thread that opens its host, feeds it and closes it. */
#include "http_state.h"

#include "scopefs/log.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <stdio.h>

/* --- The feeder --- */

static void free_task(struct task *task)
{
    free(task->version);
    free(task->method);
    free(task->name);
    strbuf_free(&task->body);
    free(task);
}

/* NULL at the end. */
static struct task *next_task(struct served *served)
{
    pthread_mutex_lock(&served->http->lock);
    while (!served->first_task && !served->is_leaving)
        pthread_cond_wait(&served->changed, &served->http->lock);
    struct task *task = served->first_task;
    if (task) {
        served->first_task = task->next;
        if (!served->first_task)
            served->last_task = &served->first_task;
    }
    pthread_mutex_unlock(&served->http->lock);
    return task;
}

static void fail(struct served *served)
{
    pthread_mutex_lock(&served->http->lock);
    served->is_failed = true;
    served_leave(served);
    pthread_mutex_unlock(&served->http->lock);
}

static void receive(struct client *client, const struct task *task)
{
    const struct mirrored mirrored = {task->version, task->method, task->name};
    client_receive(client, task->exchange, &mirrored, task->body.bytes,
                   task->is_too_large ? MESSAGE_LIMIT + 1 : task->body.length);
}

static void run_task(struct host *host, const struct task *task)
{
    struct http_session *session = task->session;
    if (task->kind == TASK_OPEN && host) {
        session->client = client_open(host, session_take, session);
        if (!session->client)
            fail(session->served);
    } else if (task->kind == TASK_RECEIVE && session->client) {
        receive(session->client, task);
    } else if (task->kind == TASK_CANCEL && session->client) {
        client_cancel(session->client, task->exchange);
    } else if (task->kind == TASK_CLOSE) {
        if (session->client)
            client_close(session->client);
        free(session);
    }
}

static struct host *open_host(struct served *served)
{
    struct http *http = served->http;
    cleanup_error struct error *error = NULL;
    pthread_mutex_lock(&http->opening);
    struct host *host = host_open(http->settings->config_file, served->name, &error);
    pthread_mutex_unlock(&http->opening);
    if (host) {
        log_info("scope %s is up", served->name);
        return host;
    }
    log_error("scope %s: %s", served->name, error->message);
    fail(served);
    return NULL;
}

static void *feed(void *context)
{
    struct served *served = context;
    struct http *http = served->http;
    cleanup_error struct error *error = NULL;
    struct host *host = open_host(served);
    for (struct task *task; (task = next_task(served));) {
        run_task(host, task);
        free_task(task);
    }
    if (host && host_close(host, &error) < 0)
        log_error("scope %s: %s", served->name, error->message);
    else if (host)
        log_info("scope %s is down", served->name);
    pthread_mutex_lock(&http->lock);
    served->is_over = true;
    http_wake(http);
    pthread_mutex_unlock(&http->lock);
    return NULL;
}

/* --- For the loop --- */

void served_add(struct served *served, const struct task *task)
{
    struct task *copy = xmalloc(sizeof(*copy));
    *copy = *task;
    copy->next = NULL;
    *served->last_task = copy;
    served->last_task = &copy->next;
    pthread_cond_signal(&served->changed);
}

void served_leave(struct served *served)
{
    while (served->sessions)
        session_end(served->sessions);
    served->is_leaving = true;
    pthread_cond_signal(&served->changed);
}

void served_release(struct request *request)
{
    struct served *served = request->served;
    if (!served)
        return;
    pthread_mutex_lock(&request->http->lock);
    served->users--;
    served->held -= request->held;
    served->used_ms = http_now_ms();
    pthread_mutex_unlock(&request->http->lock);
    request->served = NULL;
    request->held = 0;
}

/* One that nobody needs makes room. */
static bool make_room(struct http *http)
{
    size_t count = 0;
    struct served *idlest = NULL;
    for (struct served *served = http->scopes; served; served = served->next) {
        if (served->is_leaving)
            continue;
        count++;
        if (!served->sessions && !served->users && (!idlest || served->used_ms < idlest->used_ms))
            idlest = served;
    }
    if (count < http->settings->max_scopes)
        return true;
    if (idlest)
        served_leave(idlest);
    return idlest != NULL;
}

struct served *served_get(struct http *http, const char *name)
{
    for (struct served *served = http->scopes; served; served = served->next)
        if (!served->is_leaving && strcmp(served->name, name) == 0)
            return served;
    errno = EBUSY;
    if (!make_room(http))
        return NULL;
    struct served *served = xcalloc(1, sizeof(*served));
    served->http = http;
    served->last_task = &served->first_task;
    served->used_ms = http_now_ms();
    snprintf(served->name, sizeof(served->name), "%s", name);
    pthread_cond_init(&served->changed, NULL);
    errno = pthread_create(&served->feeder, NULL, feed, served);
    if (errno) {
        pthread_cond_destroy(&served->changed);
        free(served);
        return NULL;
    }
    http->counters.scopes++;
    served->next = http->scopes;
    http->scopes = served;
    return served;
}

static void end_idle_sessions(struct served *served, uint64_t now_ms)
{
    unsigned long idle_ms = served->http->settings->session_idle_ms;
    for (struct http_session *session = served->sessions, *next; session; session = next) {
        next = session->next;
        bool is_attached = false;
        for (struct stream *stream = session->streams; stream; stream = stream->next)
            is_attached = is_attached || stream->request;
        if (is_attached)
            session->used_ms = now_ms;
        else if (idle_ms && now_ms >= session->used_ms + idle_ms)
            session_end(session);
    }
}

void served_sweep(struct http *http, uint64_t now_ms)
{
    unsigned long idle_ms = http->settings->scope_idle_ms;
    for (struct served **place = &http->scopes; *place;) {
        struct served *served = *place;
        end_idle_sessions(served, now_ms);
        if (served->sessions || served->users)
            served->used_ms = now_ms;
        else if (idle_ms && now_ms >= served->used_ms + idle_ms && !served->is_leaving)
            served_leave(served);
        if (served->is_over && !served->users) {
            *place = served->next;
            pthread_join(served->feeder, NULL);
            pthread_cond_destroy(&served->changed);
            free(served);
        } else {
            place = &served->next;
        }
    }
}
