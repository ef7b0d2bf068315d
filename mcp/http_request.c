/* The life of a request, as libmicrohttpd tells of it: headers, body, answer, end. */
#include "http_state.h"

#include "scopefs/mem.h"

/* In front of what is refused anyway stands its body, which is read and dropped, within the limit:
 * a connection that is closed upon unread bytes may take the answer with it. */
static enum MHD_Result take_body(struct request *request, const char *data, size_t *size)
{
    struct http *http = request->http;
    bool fits = true;
    request->body_size += *size;
    if (request->body_size > MESSAGE_LIMIT && request->refusal.status)
        return MHD_NO;
    if (request->body_size > MESSAGE_LIMIT)
        request_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the message is too large");
    if (request->served && !request->refusal.status) {
        pthread_mutex_lock(&http->lock);
        fits = request->served->held + *size <= HELD_AT_MOST;
        if (fits) {
            request->served->held += *size;
            request->held += *size;
        }
        pthread_mutex_unlock(&http->lock);
        if (!fits)
            request_refuse(request, MHD_HTTP_TOO_MANY_REQUESTS, "too much is sent to this scope");
    }
    if (request->refusal.status)
        strbuf_free(&request->body);
    else
        strbuf_add(&request->body, data, *size);
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *mhd, const char *url,
                             const char *method, void **own)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct request *request = xcalloc(1, sizeof(*request));
    request->http = http;
    request->mhd = mhd;
    request->connection = info->socket_context;
    request->connection->request = request;
    *own = request;
    http->counters.requests++;
    if (!request_check(request, url, method) &&
        request->refusal.status == MHD_HTTP_CONTENT_TOO_LARGE) {
        request->is_complete = true;
        return answer_refusal(request);
    }
    return MHD_YES;
}

static enum MHD_Result send_page(struct request *request)
{
    struct strbuf text = {0};
    if (request->page == PAGE_METRICS) {
        metrics_write(request->http, &text);
        return answer_text(request, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &text);
    }
    bool is_ending = request->http->is_ending;
    strbuf_add_text(&text, is_ending ? "ending\n" : "ok\n");
    return answer_text(request, is_ending ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
                       "text/plain; charset=utf-8", &text);
}

static enum MHD_Result work(struct request *request, const char *method)
{
    struct strbuf nothing = {0};
    request->is_complete = true;
    if (request->refusal.status)
        return answer_refusal(request);
    if (request->page != PAGE_NONE)
        return send_page(request);
    bool is_delete = strcmp(method, MHD_HTTP_METHOD_DELETE) == 0;
    bool is_done = is_delete                                  ? request_end_session(request)
                   : strcmp(method, MHD_HTTP_METHOD_GET) == 0 ? request_listen(request)
                                                              : request_submit(request);
    if (!is_done)
        return answer_refusal(request);
    return is_delete ? answer_text(request, MHD_HTTP_NO_CONTENT, NULL, &nothing)
                     : answer_stream(request);
}

enum MHD_Result request_handle(void *context, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **own)
{
    struct request *request = *own;
    (void)version;
    if (!request)
        return begin(context, mhd, url, method, own);
    if (*size)
        return take_body(request, data, size);
    return request->is_submitted ? answer_stream(request) : work(request, method);
}

/* Where there are no sessions, hanging up is how a client cancels. */
static void leave_stream(struct request *request)
{
    struct stream *stream = request->stream;
    if (!stream)
        return;
    if (request->is_stateless && stream->session && !stream->is_done) {
        const struct task task = {
            .kind = TASK_CANCEL, .session = stream->session, .exchange = stream->number};
        served_add(request->served, &task);
    }
    stream_detach(stream);
}

void request_end(void *context, struct MHD_Connection *mhd, void **own,
                 enum MHD_RequestTerminationCode code)
{
    struct http *http = context;
    struct request *request = *own;
    (void)mhd;
    (void)code;
    if (!request)
        return;
    pthread_mutex_lock(&http->lock);
    leave_stream(request);
    for (struct request **place = &http->ready; *place; place = &(*place)->next_ready)
        if (*place == request) {
            *place = request->next_ready;
            break;
        }
    pthread_mutex_unlock(&http->lock);
    served_release(request);
    request->connection->request = NULL;
    request->connection->idle_since_ms = http_now_ms();
    strbuf_free(&request->body);
    free(request->version);
    free(request->method);
    free(request->name);
    free(request->resumed);
    free(request);
    *own = NULL;
}
