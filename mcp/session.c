#include "session.h"

#include "call.h"
#include "scopefs/mem.h"
#include "stamps.h"

#include <stdarg.h>
#include <stdio.h>

/* Newest first. Batches came with 2025-03-26 and went with its successor. */
static const struct revision revisions[] = {
    {"2026-07-28",
     FEATURE_ANNOTATIONS | FEATURE_STRUCTURED | FEATURE_ELICITATION | FEATURE_STATELESS},
    {"2025-11-25", FEATURE_ANNOTATIONS | FEATURE_STRUCTURED | FEATURE_ELICITATION},
    {"2025-06-18", FEATURE_ANNOTATIONS | FEATURE_STRUCTURED | FEATURE_ELICITATION},
    {"2025-03-26", FEATURE_ANNOTATIONS | FEATURE_BATCH},
    {"2024-11-05", 0},
};

#define REVISIONS (sizeof(revisions) / sizeof(revisions[0]))

const char *const log_severity_names[] = {"debug",    "info",  "notice",    "warning", "error",
                                          "critical", "alert", "emergency", NULL};

int log_severity_find(const json_t *name)
{
    int level = 0;
    while (
        level < SEVERITY_NOTHING &&
        (!json_is_string(name) || strcmp(log_severity_names[level], json_string_value(name)) != 0))
        level++;
    return level;
}

const struct revision *revision_find(const char *name)
{
    for (size_t i = 0; i < REVISIONS; i++)
        if (strcmp(revisions[i].name, name) == 0)
            return &revisions[i];
    return NULL;
}

const struct revision *revision_negotiate(const char *name)
{
    const struct revision *revision = revision_find(name);
    if (revision && !(revision->features & FEATURE_STATELESS))
        return revision;
    revision = revisions;
    while (revision->features & FEATURE_STATELESS)
        revision++;
    return revision;
}

json_t *revision_names(void)
{
    json_t *names = json_array();
    for (size_t i = 0; i < REVISIONS; i++)
        json_array_append_new(names, json_string(revisions[i].name));
    return names;
}

bool address_has(const struct return_address *address, enum feature feature)
{
    return address->revision && (address->revision->features & feature);
}

static void emit(struct session *session, uint64_t exchange, uint16_t flags, const char *text)
{
    const struct server_settings *settings = &session->server->settings;
    size_t length = text ? strlen(text) : 0;
    const struct frame frame = {
        .length = (uint32_t)(length <= FRAME_LIMIT ? length : 0),
        .type = FRAME_MESSAGE,
        .flags = flags,
        .session = session->number,
        .exchange = exchange,
    };
    settings->sink(settings->context, &frame, text);
}

void session_send(struct session *session, uint64_t exchange, json_t *message)
{
    cleanup_free char *text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    if (text)
        emit(session, exchange, 0, text);
}

static void answer_batch(const struct return_address *address, json_t *message)
{
    struct batch *batch = address->batch;
    struct server *server = address->session->server;
    pthread_mutex_lock(&server->lock);
    if (message)
        json_array_append_new(batch->answers, message);
    bool is_complete = --batch->open == 0;
    pthread_mutex_unlock(&server->lock);
    if (!is_complete)
        return;
    const struct return_address whole = {.session = address->session, .exchange = batch->exchange};
    if (json_array_size(batch->answers) > 0) {
        answer_send(&whole, batch->answers);
    } else {
        json_decref(batch->answers);
        answer_send(&whole, NULL);
    }
    free(batch);
}

char *message_text(json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(message);
    return text;
}

void answer_send_text(const struct return_address *address, const char *text)
{
    emit(address->session, address->exchange, text ? FRAME_LAST | FRAME_JSON : FRAME_LAST, text);
}

/* `kind` is 0 or one of the flags that say more of an answer. */
static void send_answer(const struct return_address *address, uint16_t kind, json_t *message)
{
    if (address->batch) {
        answer_batch(address, message);
        return;
    }
    cleanup_free char *text = message ? message_text(message) : NULL;
    emit(address->session, address->exchange,
         (uint16_t)(kind | FRAME_LAST | (text ? FRAME_JSON : 0)), text);
}

void answer_send(const struct return_address *address, json_t *message)
{
    send_answer(address, 0, message);
}

/* Which errors HTTP shows by its status, as revision 2026-07-28 wants it. Parameters that are wrong
 * before it is known what the message belongs to are those in `_meta`. */
static uint16_t error_kind(const struct return_address *address, int code)
{
    if (code == RPC_METHOD_NOT_FOUND)
        return address_has(address, FEATURE_STATELESS) ? FRAME_NO_METHOD : 0;
    if (code == RPC_INVALID_PARAMS)
        return address->revision ? 0 : FRAME_REFUSES;
    return code == RPC_INTERNAL_ERROR ? 0 : FRAME_REFUSES;
}

void answer_error(const struct return_address *address, json_t *id, int code, json_t *data,
                  const char *format, ...)
{
    cleanup_free char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    json_t *error = json_pack("{s:i, s:o}", "code", code, "message", json_name(text, strlen(text)));
    if (data)
        json_object_set_new(error, "data", data);
    send_answer(address, error_kind(address, code),
                json_pack("{s:s, s:O?, s:o}", "jsonrpc", "2.0", "id", id ? id : json_null(),
                          "error", error));
}

json_t *answer_message(json_t *id, json_t *result)
{
    return json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "result", result);
}

void result_finish(const struct return_address *address, json_t *result)
{
    if (!address_has(address, FEATURE_STATELESS))
        return;
    if (!json_object_get(result, "resultType"))
        json_object_set_new(result, "resultType", json_string("complete"));
    if (!json_object_get(result, "_meta"))
        json_object_set_new(result, "_meta", json_object());
    json_object_set_new(json_object_get(result, "_meta"), "io.modelcontextprotocol/serverInfo",
                        methods_server_info(address->revision));
}

void answer_beginning(const struct return_address *address, json_t *id, json_t *result)
{
    send_answer(address, FRAME_BEGINS, answer_message(id, result));
}

void answer_result(const struct return_address *address, json_t *id, json_t *result)
{
    result_finish(address, result);
    answer_send(address, answer_message(id, result));
}

void address_log(const struct return_address *address, enum log_severity severity,
                 const char *format, ...)
{
    cleanup_free char *text = NULL;
    va_list arguments;
    if ((int)severity < address->log_level)
        return;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    json_t *params = json_pack("{s:s, s:s, s:o}", "level", log_severity_names[severity], "logger",
                               "scopefs", "data", json_name(text, strlen(text)));
    if (params)
        session_send(address->session, address->exchange,
                     json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method",
                               "notifications/message", "params", params));
}

void session_drop(struct session *session)
{
    if (session->users || !session->is_closed)
        return;
    stamps_free(session->stamps);
    json_decref(session->shells);
    headers_clear(&session->headers);
    free(session);
}
