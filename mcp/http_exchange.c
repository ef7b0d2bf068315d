/* From requests that may be to sessions and their streams. */
#include "http_state.h"

#include "scopefs/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static bool refuse_locked(struct request *request, unsigned status, const char *message)
{
    pthread_mutex_unlock(&request->http->lock);
    return request_refuse(request, status, message);
}

static struct http_session *session_for(struct request *request)
{
    struct served *served = request->served;
    struct http_session *session = NULL;
    if (request->session_id[0] || request->is_stateless)
        session = session_find(served, request->session_id, &request->principal);
    if (!session && !request->session_id[0])
        session = session_new(served, &request->principal, request->is_stateless);
    return session;
}

bool request_submit(struct request *request)
{
    struct served *served = request->served;
    pthread_mutex_lock(&request->http->lock);
    if (served->is_leaving)
        return refuse_locked(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                             "the scope cannot be served now");
    if (served->running >= EXCHANGES_AT_MOST)
        return refuse_locked(request, MHD_HTTP_TOO_MANY_REQUESTS, "too much runs in this scope");
    struct http_session *session = session_for(request);
    if (!session && request->session_id[0])
        return refuse_locked(request, MHD_HTTP_NOT_FOUND, "there is no such session");
    if (!session)
        return refuse_locked(request, MHD_HTTP_TOO_MANY_REQUESTS,
                             "this scope has too many sessions");
    struct stream *stream = stream_new(session, request);
    stream->has_ids = !request->is_stateless;
    stream->is_primed = request->is_primed;
    served->running++;
    session->used_ms = http_now_ms();
    const struct task task = {
        .kind = TASK_RECEIVE,
        .session = session,
        .exchange = stream->number,
        .version = steal_pointer(request->version),
        .method = steal_pointer(request->method),
        .name = steal_pointer(request->name),
        .body = request->body,
    };
    request->body = (struct strbuf){0};
    served_add(served, &task);
    pthread_mutex_unlock(&request->http->lock);
    request->is_submitted = true;
    return true;
}

/* --- Streams by GET --- */

static bool parse_event_id(const char *text, uint64_t *stream, uint64_t *event)
{
    char *end;
    errno = 0;
    *stream = strtoull(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end != '-' || end[1] < '0' || end[1] > '9')
        return false;
    *event = strtoull(end + 1, &end, 10);
    return !errno && *end == '\0';
}

/* Of a stream that is done: its events are still there, up to the last one. */
static struct stream *revive(struct http_session *session, struct request *request, uint64_t number,
                             uint64_t seen)
{
    uint64_t last = 0;
    bool has_seen = false, has_next = false, has_end = false;
    for (struct event *event = session->first_event; event; event = event->next) {
        if (event->stream != number)
            continue;
        has_seen = has_seen || event->number == seen;
        has_next = has_next || event->number == seen + 1;
        has_end = has_end || event->is_last;
        last = event->number;
    }
    if (!has_end || !(has_next || (has_seen && seen == last)))
        return NULL;
    struct stream *stream = stream_new(session, request);
    stream->number = number;
    stream->last_event = last;
    stream->is_done = true;
    return stream;
}

static struct stream *resume(struct http_session *session, struct request *request)
{
    uint64_t number, seen;
    if (!parse_event_id(request->resumed, &number, &seen))
        return NULL;
    struct stream *stream = stream_find(session, number);
    if (!stream) {
        stream = revive(session, request, number, seen);
    } else if (!stream->has_events || !stream->has_ids || seen < stream->last_dropped ||
               seen > stream->last_event) {
        return NULL;
    } else {
        /* The connection that it had is gone, although we have not noticed yet. */
        if (stream->request) {
            stream_wake(stream);
            stream->request->stream = NULL;
        }
        stream->request = request;
        request->stream = stream;
    }
    if (stream) {
        stream->has_events = stream->has_ids = true;
        request->next_event = seen + 1;
    }
    return stream;
}

/* There is one for each session; who asks again has lost the other one. */
static void stand(struct http_session *session, struct request *request)
{
    for (struct stream *stream = session->streams, *next; stream; stream = next) {
        next = stream->next;
        if (!stream->is_standing)
            continue;
        stream_wake(stream);
        stream_free(stream);
    }
    struct stream *stream = stream_new(session, request);
    stream->is_standing = stream->has_ids = true;
    stream->is_primed = request->is_primed;
    stream_begin_events(stream);
}

bool request_listen(struct request *request)
{
    pthread_mutex_lock(&request->http->lock);
    struct http_session *session =
        session_find(request->served, request->session_id, &request->principal);
    if (!session)
        return refuse_locked(request, MHD_HTTP_NOT_FOUND, "there is no such session");
    session->used_ms = http_now_ms();
    if (!request->resumed)
        stand(session, request);
    else if (!resume(session, request))
        return refuse_locked(request, MHD_HTTP_BAD_REQUEST,
                             "what came after Last-Event-ID is not kept any more");
    pthread_mutex_unlock(&request->http->lock);
    request->is_submitted = true;
    return true;
}

bool request_end_session(struct request *request)
{
    pthread_mutex_lock(&request->http->lock);
    struct http_session *session =
        session_find(request->served, request->session_id, &request->principal);
    if (!session)
        return refuse_locked(request, MHD_HTTP_NOT_FOUND, "there is no such session");
    session_end(session);
    pthread_mutex_unlock(&request->http->lock);
    return true;
}
