/* What is sent to clients. */
#include "http_state.h"

#include "scopefs/mem.h"

#include <stdio.h>

#define BLOCK_SIZE 16384

static enum MHD_Result send_response(struct request *request, unsigned status,
                                     struct MHD_Response *response, const char *type)
{
    if (!response)
        return MHD_NO;
    if (type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, POST, DELETE");
    if (status == MHD_HTTP_TOO_MANY_REQUESTS || status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        char seconds[12];
        snprintf(seconds, sizeof(seconds), "%d", RETRY_AFTER_S);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    enum MHD_Result result = MHD_queue_response(request->mhd, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result answer_text(struct request *request, unsigned status, const char *type,
                            struct strbuf *text)
{
    size_t length = text->length;
    char *bytes = strbuf_steal(text);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(bytes);
    return send_response(request, status, response, length ? type : NULL);
}

enum MHD_Result answer_refusal(struct request *request)
{
    const struct refusal *refusal = &request->refusal;
    struct counters *counters = &request->http->counters;
    struct strbuf text = {0};
    counters->refused++;
    counters->unauthorized += refusal->status == MHD_HTTP_UNAUTHORIZED;
    counters->busy += refusal->status == MHD_HTTP_TOO_MANY_REQUESTS;
    strbuf_add_text(&text,
                    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":");
    strbuf_add_json(&text, refusal->message, strlen(refusal->message));
    strbuf_add_text(&text, "}}");
    return answer_text(request, refusal->status, "application/json", &text);
}

/* --- Streams --- */

static size_t copy_events(struct request *request, char *buffer, size_t room)
{
    struct stream *stream = request->stream;
    size_t size = 0;
    const struct event *event;
    while (size < room && (event = stream_event(stream, request->next_event))) {
        size_t left = event->length - request->offset;
        size_t part = left < room - size ? left : room - size;
        memcpy(buffer + size, event->text + request->offset, part);
        size += part;
        request->offset += part;
        if (part < left)
            break;
        request->offset = 0;
        request->next_event++;
        stream_sent(stream, event);
    }
    return size;
}

/* Under the lock. 0: nothing yet. */
static ssize_t next_bytes(struct request *request, char *buffer, size_t room)
{
    static const char keep_alive[] = ":\n\n";
    struct stream *stream = request->stream;
    uint64_t now_ms = http_now_ms();
    if (request->is_gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    /* Somebody else resumes it, or the session has ended. */
    if (!stream || !stream->session)
        return request->offset ? MHD_CONTENT_READER_END_WITH_ERROR
                               : MHD_CONTENT_READER_END_OF_STREAM;
    size_t size = copy_events(request, buffer, room);
    if (size == 0 && request->next_event <= stream->last_dropped)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (size == 0 && stream->is_done)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (size == 0 && now_ms >= request->sent_ms + KEEP_ALIVE_MS && room >= sizeof(keep_alive)) {
        size = sizeof(keep_alive) - 1;
        memcpy(buffer, keep_alive, size);
    }
    if (size)
        request->sent_ms = now_ms;
    return (ssize_t)size;
}

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t room)
{
    struct request *request = context;
    (void)position;
    pthread_mutex_lock(&request->http->lock);
    ssize_t size = next_bytes(request, buffer, room);
    pthread_mutex_unlock(&request->http->lock);
    if (size == 0) {
        request->is_suspended = true;
        MHD_suspend_connection(request->mhd);
    }
    return size;
}

static enum MHD_Result send_stream(struct request *request)
{
    request->sent_ms = http_now_ms();
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream, request, NULL);
    if (response)
        MHD_add_response_header(response, "X-Accel-Buffering", "no");
    return send_response(request, MHD_HTTP_OK, response, "text/event-stream");
}

/* --- Answers --- */

static enum MHD_Result send_answer(struct request *request, enum answer_kind kind,
                                   struct strbuf *answer)
{
    static const unsigned statuses[] = {
        [ANSWER_USUAL] = MHD_HTTP_OK,
        [ANSWER_BEGINS] = MHD_HTTP_OK,
        [ANSWER_REFUSES] = MHD_HTTP_BAD_REQUEST,
        [ANSWER_NO_METHOD] = MHD_HTTP_NOT_FOUND,
    };
    size_t length = answer->length;
    char *bytes = strbuf_steal(answer);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(bytes);
    else if (kind == ANSWER_BEGINS)
        MHD_add_response_header(response, "Mcp-Session-Id", request->session_id);
    return send_response(request, statuses[kind], response, "application/json");
}

/* Under the lock: why nothing comes for the request. False: something was not refused, only taken.
 */
static bool refuse_ended(struct request *request, const struct stream *stream)
{
    if (stream && stream->session && stream->is_done)
        return false;
    if (request->served->is_failed)
        return !request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                               "the scope cannot be served now");
    if (!request->session_id[0] && !request->is_stateless && stream && stream->is_done)
        return !request_refuse(
            request, MHD_HTTP_BAD_REQUEST,
            "a session begins with 'initialize'; without, Mcp-Session-Id is missing");
    return !request_refuse(request, MHD_HTTP_NOT_FOUND, "the session has ended");
}

enum MHD_Result answer_stream(struct request *request)
{
    struct http *http = request->http;
    struct strbuf answer = {0}, nothing = {0};
    if (request->is_gone)
        return MHD_NO;
    pthread_mutex_lock(&http->lock);
    struct stream *stream = request->stream;
    bool waits = stream && stream->session && !stream->is_done && !stream->has_events;
    bool has_events = stream && stream->session && stream->has_events;
    bool has_answer = stream && stream->has_answer;
    enum answer_kind kind = stream ? stream->kind : ANSWER_USUAL;
    if (has_answer) {
        answer = stream->answer;
        stream->answer = (struct strbuf){0};
    }
    bool is_refused = !waits && !has_events && !has_answer && refuse_ended(request, stream);
    pthread_mutex_unlock(&http->lock);
    if (has_events)
        return send_stream(request);
    if (has_answer)
        return send_answer(request, kind, &answer);
    if (is_refused)
        return answer_refusal(request);
    if (!waits)
        return answer_text(request, MHD_HTTP_ACCEPTED, NULL, &nothing);
    request->is_suspended = true;
    MHD_suspend_connection(request->mhd);
    return MHD_YES;
}
