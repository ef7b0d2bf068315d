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

/* What a request of a stateless revision says of itself. */
#define META_VERSION      "io.modelcontextprotocol/protocolVersion"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_LOG_LEVEL    "io.modelcontextprotocol/logLevel"

static void refuse_version(const struct return_address *address, json_t *id, const char *wanted)
{
    answer_error(address, id, RPC_UNSUPPORTED_VERSION,
                 json_pack("{s:o, s:o}", "supported", revision_names(), "requested",
                           json_name(wanted, strlen(wanted))),
                 "Unsupported protocol version");
}

/* Sets in *address what the request says of itself; one that says nothing belongs to its session.
 * False when it was answered by an error. */
static bool read_metadata(struct return_address *address, json_t *id, json_t *params)
{
    json_t *meta = json_object_get(params, "_meta");
    json_t *version = json_object_get(meta, META_VERSION);
    json_t *capabilities = json_object_get(meta, META_CAPABILITIES);
    if (!version)
        return true;
    const struct revision *revision =
        json_is_string(version) ? revision_find(json_string_value(version)) : NULL;
    if (!revision || !(revision->features & FEATURE_STATELESS)) {
        cleanup_free char *text = json_is_string(version)
                                      ? xstrdup(json_string_value(version))
                                      : json_dumps(version, JSON_ENCODE_ANY | JSON_COMPACT);
        refuse_version(address, id, text ? text : "");
        return false;
    }
    if (!json_is_object(capabilities)) {
        answer_error(address, id, RPC_INVALID_PARAMS, NULL, "'_meta' has no " META_CAPABILITIES);
        return false;
    }
    address->revision = revision;
    address->can_be_asked = methods_can_fill_forms(capabilities);
    address->log_level = log_severity_find(json_object_get(meta, META_LOG_LEVEL));
    return true;
}

/* Whether HTTP's headers and the request say the same; else it was answered by an error. */
static bool check_headers(const struct return_address *address, const char *method, json_t *id,
                          json_t *params)
{
    const struct headers *headers = address->headers;
    json_t *version = json_object_get(json_object_get(params, "_meta"), META_VERSION);
    const struct revision *revision =
        headers && headers->version ? revision_find(headers->version) : NULL;
    bool is_stateless = revision && (revision->features & FEATURE_STATELESS);
    if (!headers || (!version && !is_stateless))
        return true;
    if (!version) {
        answer_error(address, id, RPC_INVALID_PARAMS, NULL, "'_meta' has no " META_VERSION);
        return false;
    }
    const char *name = strcmp(method, "tools/call") == 0
                           ? json_string_value(json_object_get(params, "name"))
                           : NULL;
    const char *wrong = headers_mismatch(headers, json_string_value(version), method, name);
    if (wrong)
        answer_error(address, id, RPC_HEADER_MISMATCH, NULL,
                     "Header mismatch: %s is not what the request says", wrong);
    return !wrong;
}

static void take_request(const struct return_address *address, const char *method, json_t *id,
                         json_t *params)
{
    struct return_address own = *address;
    own.headers = NULL;
    bool is_first = strcmp(method, "initialize") == 0;
    if (params && !json_is_object(params))
        answer_error(address, id, RPC_INVALID_PARAMS, NULL, "'params' is not an object");
    else if (is_first && address->batch)
        answer_error(address, id, RPC_INVALID_REQUEST, NULL, "'initialize' comes alone");
    else if (!check_headers(address, method, id, params) || !read_metadata(&own, id, params))
        return;
    else if (!own.revision && !methods_are_first(method))
        answer_error(
            address, id, RPC_INVALID_REQUEST, NULL,
            "a session begins with 'initialize', and a request without one has " META_VERSION
            " in '_meta'");
    else
        methods_request(&own, method, id, params);
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
    const char *asked = address->headers ? address->headers->version : NULL;
    if (asked && !revision_find(asked))
        refuse_version(address, is_id(id) ? id : NULL, asked);
    else if (!json_is_object(message) || !version || strcmp(version, "2.0") != 0)
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
    if (count == 0 || !address_has(address, FEATURE_BATCH)) {
        answer_error(address, NULL, RPC_INVALID_REQUEST, NULL,
                     count ? "this revision of the protocol has no batches" : "an empty batch");
        return;
    }
    struct batch *batch = xcalloc(1, sizeof(*batch));
    batch->answers = json_array();
    batch->exchange = address->exchange;
    /* One more, so that it is not complete before all of it was begun. */
    batch->open = count + 1;
    struct return_address inner = *address;
    inner.batch = batch;
    for (size_t i = 0; i < count; i++)
        take_message(&inner, json_array_get(messages, i));
    answer_send(&inner, NULL);
}

static struct return_address address_of(struct session *session, uint64_t exchange)
{
    struct return_address address = {.session = session, .exchange = exchange};
    pthread_mutex_lock(&session->server->lock);
    address.revision = session->revision;
    address.can_be_asked = session->can_be_asked;
    address.log_level = session->log_level;
    pthread_mutex_unlock(&session->server->lock);
    return address;
}

static void take_bytes(struct session *session, uint64_t exchange, const char *bytes, size_t size)
{
    json_error_t error;
    struct return_address address = address_of(session, exchange);
    address.headers = session->headers.is_there ? &session->headers : NULL;
    json_t *message = json_loadb(bytes, size, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (!message)
        answer_error(&address, NULL, RPC_PARSE_ERROR, NULL, "not JSON: %s at byte %d", error.text,
                     error.position);
    else if (json_is_array(message))
        take_batch(&address, message);
    else
        take_message(&address, message);
    json_decref(message);
    headers_clear(&session->headers);
}

/* --- Frames --- */

static void take_session_frame(struct session *session, const struct frame *frame,
                               const char *bytes)
{
    const struct return_address address = address_of(session, frame->exchange);
    if (frame->type == FRAME_MESSAGE)
        take_bytes(session, frame->exchange, bytes, frame->length);
    else if (frame->type == FRAME_OVERSIZED)
        answer_error(&address, NULL, RPC_INVALID_REQUEST, NULL,
                     "the message is larger than %u bytes", MESSAGE_LIMIT);
    else if (frame->type == FRAME_HEADERS)
        headers_read(&session->headers, bytes, frame->length);
    else if (frame->type == FRAME_CANCEL)
        call_cancel_exchange(session, frame->exchange);
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
