/* What a session has to send: events in the order in which they came, for a while also after they
 * were sent, so that a client that has lost its connection misses none. */
#include "http_state.h"

#include "scopefs/mem.h"

#include <inttypes.h>
#include <stdio.h>

void stream_wake(struct stream *stream)
{
    struct request *request = stream->request;
    if (!request || request->is_ready)
        return;
    request->is_ready = true;
    request->next_ready = request->http->ready;
    request->http->ready = request;
    http_wake(request->http);
}

struct stream *stream_new(struct http_session *session, struct request *request)
{
    struct stream *stream = xcalloc(1, sizeof(*stream));
    stream->session = session;
    stream->request = request;
    stream->number = ++session->served->http->last_exchange;
    stream->began_ms = http_now_ms();
    stream->next = session->streams;
    session->streams = stream;
    request->stream = stream;
    request->next_event = 1;
    return stream;
}

struct stream *stream_find(struct http_session *session, uint64_t number)
{
    struct stream *stream = session->streams;
    while (stream && stream->number != number)
        stream = stream->next;
    return stream;
}

void stream_free(struct stream *stream)
{
    struct http_session *session = stream->session;
    for (struct stream **place = session ? &session->streams : NULL; place && *place;
         place = &(*place)->next)
        if (*place == stream) {
            *place = stream->next;
            break;
        }
    if (stream->request)
        stream->request->stream = NULL;
    strbuf_free(&stream->answer);
    free(stream);
}

/* --- Events --- */

static struct event *new_event(const struct stream *stream, const char *bytes, size_t length)
{
    char start[80] = "event: message\ndata: ";
    if (stream->has_ids)
        snprintf(start, sizeof(start),
                 "%sid: %" PRIu64 "-%" PRIu64 "\ndata: ", length ? "event: message\n" : "",
                 stream->number, stream->last_event + 1);
    size_t before = strlen(start);
    struct event *event = xcalloc(1, sizeof(*event) + before + length + 2);
    memcpy(event->text, start, before);
    if (length)
        memcpy(event->text + before, bytes, length);
    memcpy(event->text + before + length, "\n\n", 2);
    event->length = before + length + 2;
    event->stream = stream->number;
    event->number = stream->last_event + 1;
    return event;
}

void event_drop(struct http_session *session, struct event *event)
{
    struct event **place = &session->first_event;
    while (*place != event)
        place = &(*place)->next;
    *place = event->next;
    if (session->last_event == &event->next)
        session->last_event = place;
    struct stream *stream = stream_find(session, event->stream);
    if (stream && stream->last_dropped < event->number)
        stream->last_dropped = event->number;
    session->kept_bytes -= event->length;
    session->kept_count--;
    session->served->held -= event->length;
    free(event);
}

void stream_drop_events(struct http_session *session)
{
    while (session->first_event)
        event_drop(session, session->first_event);
}

void stream_add_event(struct stream *stream, const char *bytes, size_t length, bool is_last)
{
    struct http_session *session = stream->session;
    struct event *event = new_event(stream, bytes, length);
    event->is_last = is_last;
    stream->last_event = event->number;
    *session->last_event = event;
    session->last_event = &event->next;
    session->kept_bytes += event->length;
    session->kept_count++;
    session->served->held += event->length;
    /* A client that reads so slowly that its own is among them is cut off. */
    while ((session->kept_bytes > KEPT_AT_MOST || session->kept_count > KEPT_EVENTS_AT_MOST) &&
           session->first_event != event)
        event_drop(session, session->first_event);
    stream_wake(stream);
}

void stream_begin_events(struct stream *stream)
{
    stream->has_events = true;
    if (stream->has_ids && stream->is_primed)
        stream_add_event(stream, "", 0, false);
    stream_wake(stream);
}

const struct event *stream_event(const struct stream *stream, uint64_t number)
{
    const struct event *event = stream->session->first_event;
    while (event && (event->stream != stream->number || event->number != number))
        event = event->next;
    return event;
}

void stream_sent(struct stream *stream, const struct event *event)
{
    /* What is too large to be kept was kept until now because it had to be sent. */
    if (!stream->has_ids || event->length > KEPT_AT_MOST)
        event_drop(stream->session, (struct event *)(uintptr_t)event);
}

static bool is_lost_with(const struct stream *stream, const struct event *event)
{
    return event->stream == stream->number && (!stream->has_ids || event->length > KEPT_AT_MOST);
}

void stream_detach(struct stream *stream)
{
    struct http_session *session = stream->session;
    stream->request->stream = NULL;
    stream->request = NULL;
    for (struct event *event = session ? session->first_event : NULL, *next; event; event = next) {
        next = event->next;
        if (is_lost_with(stream, event))
            event_drop(session, event);
    }
    if (!session || stream->is_done || (stream->is_standing && !stream->has_ids))
        stream_free(stream);
}
