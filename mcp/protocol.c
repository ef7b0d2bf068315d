/* From frames to requests, notifications and answers; JSON-RPC 2.0 and nothing of the tools. */
#include "call.h"
#include "jobs.h"
#include "questions.h"
#include "scopefs/mem.h"
#include "server.h"
#include "session.h"

#include <string.h>
#include <time.h>

#define THREADS 32

struct server *server_new(const struct server_settings *settings)
{
    struct server *server = xcalloc(1, sizeof(*server));
    pthread_condattr_t monotonic;
    server->settings = *settings;
    server->pool = pool_new(settings->threads ? settings->threads : THREADS, call_run);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return server;
}

/* --- Sessions --- */

static struct session *find_session(struct server *server, uint32_t number)
{
    pthread_mutex_lock(&server->lock);
    struct session *session = server->sessions;
    while (session && session->number != number)
        session = session->next;
    pthread_mutex_unlock(&server->lock);
    return session;
}

static void open_session(struct server *server, uint32_t number)
{
    if (find_session(server, number))
        return;
    struct session *session = xcalloc(1, sizeof(*session));
    session->server = server;
    session->number = number;
    session->log_level = SEVERITY_NOTHING;
    pthread_mutex_lock(&server->lock);
    session->next = server->sessions;
    server->sessions = session;
    pthread_mutex_unlock(&server->lock);
}

static void close_session(struct session *session)
{
    struct server *server = session->server;
    call_cancel(session, NULL);
    jobs_end_session(session);
    pthread_mutex_lock(&server->lock);
    struct session **place = &server->sessions;
    while (*place != session)
        place = &(*place)->next;
    *place = session->next;
    session->is_closed = true;
    session_drop(session);
    pthread_mutex_unlock(&server->lock);
}

/* --- One message --- */

static bool is_id(const json_t *id)
{
    return json_is_string(id) || json_is_number(id);
}

static bool is_initialized(struct session *session)
{
    pthread_mutex_lock(&session->server->lock);
    bool is = session->revision != NULL;
    pthread_mutex_unlock(&session->server->lock);
    return is;
}

static void take_request(const struct return_address *address, const char *method, json_t *id,
                         json_t *params)
{
    bool is_first = strcmp(method, "initialize") == 0;
    if (params && !json_is_object(params))
        answer_error(address, id, RPC_INVALID_PARAMS, NULL, "'params' is not an object");
    else if (is_first && address->batch)
        answer_error(address, id, RPC_INVALID_REQUEST, NULL, "'initialize' comes alone");
    else if (!is_first && strcmp(method, "ping") != 0 && !is_initialized(address->session))
        answer_error(address, id, RPC_INVALID_REQUEST, NULL,
                     "the session begins with 'initialize'");
    else
        methods_request(address, method, id, params);
}

static void take_notification(const struct return_address *address, const char *method,
                              json_t *params)
{
    methods_notification(address->session, method, params);
    answer_send(address, NULL);
}

static void take_message(const struct return_address *address, json_t *message)
{
    json_t *method = json_object_get(message, "method");
    json_t *id = json_object_get(message, "id");
    const char *version = json_string_value(json_object_get(message, "jsonrpc"));
    bool is_response =
        !method && (json_object_get(message, "result") || json_object_get(message, "error"));
    if (!json_is_object(message) || !version || strcmp(version, "2.0") != 0)
        answer_error(address, is_id(id) ? id : NULL, RPC_INVALID_REQUEST, NULL,
                     "not a JSON-RPC 2.0 message");
    else if (is_response) {
        questions_answer(address->session, id, message);
        answer_send(address, NULL);
    } else if (!json_is_string(method) || (id && !is_id(id)))
        answer_error(address, is_id(id) ? id : NULL, RPC_INVALID_REQUEST, NULL,
                     "'method' is a string, and 'id' a string or a number");
    else if (id)
        take_request(address, json_string_value(method), id, json_object_get(message, "params"));
    else
        take_notification(address, json_string_value(method), json_object_get(message, "params"));
}

static void take_batch(const struct return_address *address, json_t *messages)
{
    size_t count = json_array_size(messages);
    if (count == 0 || !session_has(address->session, FEATURE_BATCH)) {
        answer_error(address, NULL, RPC_INVALID_REQUEST, NULL,
                     count ? "this revision of the protocol has no batches" : "an empty batch");
        return;
    }
    struct batch *batch = xcalloc(1, sizeof(*batch));
    batch->answers = json_array();
    batch->exchange = address->exchange;
    /* One more, so that it is not complete before all of it was begun. */
    batch->open = count + 1;
    const struct return_address inner = {address->session, address->exchange, batch};
    for (size_t i = 0; i < count; i++)
        take_message(&inner, json_array_get(messages, i));
    answer_send(&inner, NULL);
}

static void take_bytes(struct session *session, uint64_t exchange, const char *bytes, size_t size)
{
    json_error_t error;
    const struct return_address address = {session, exchange, NULL};
    json_t *message = json_loadb(bytes, size, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (!message)
        answer_error(&address, NULL, RPC_PARSE_ERROR, NULL, "not JSON: %s at byte %d", error.text,
                     error.position);
    else if (json_is_array(message))
        take_batch(&address, message);
    else
        take_message(&address, message);
    json_decref(message);
}

/* --- Frames --- */

static void take_session_frame(struct session *session, const struct frame *frame,
                               const char *bytes)
{
    const struct return_address address = {session, frame->exchange, NULL};
    if (frame->type == FRAME_MESSAGE)
        take_bytes(session, frame->exchange, bytes, frame->length);
    else if (frame->type == FRAME_OVERSIZED)
        answer_error(&address, NULL, RPC_INVALID_REQUEST, NULL,
                     "the message is larger than %u bytes", MESSAGE_LIMIT);
    else if (frame->type == FRAME_CLOSE)
        close_session(session);
}

void server_take(struct server *server, const struct frame *frame, const char *bytes)
{
    if (frame->type == FRAME_OPEN) {
        open_session(server, frame->session);
    } else if (frame->type == FRAME_JOB_ASK || frame->type == FRAME_JOB_STARTED ||
               frame->type == FRAME_JOB_OUTPUT || frame->type == FRAME_JOB_ENDED) {
        jobs_take(server, frame, bytes);
    } else {
        struct session *session = find_session(server, frame->session);
        if (session)
            take_session_frame(session, frame, bytes);
    }
}

void server_settle(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    while (server->running)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

void server_free(struct server *server)
{
    while (server->sessions)
        close_session(server->sessions);
    pool_free(server->pool);
    jobs_free(server);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->changed);
    free(server);
}
