/* Sessions: who may use them, and where what the worker says goes. */
#include "http_state.h"

#include "scopefs/mem.h"

#include <stdio.h>
#include <sys/random.h>

#include <gnutls/crypto.h>

struct http_session *session_find(struct served *served, const char *id,
                                  const struct principal *principal)
{
    char wanted[SESSION_ID_ROOM] = "";
    struct http_session *found = NULL;
    snprintf(wanted, sizeof(wanted), "%s", id);
    for (struct http_session *session = served->sessions; session; session = session->next)
        if (gnutls_memcmp(session->id, wanted, sizeof(wanted)) == 0 && session->has_begun &&
            principal_equal(&session->principal, principal))
            found = session;
    return found;
}

static bool make_id(char *id)
{
    unsigned char bytes[SESSION_ID_BYTES];
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return false;
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

struct http_session *session_new(struct served *served, const struct principal *principal,
                                 bool is_stateless)
{
    char id[SESSION_ID_ROOM] = "";
    if (served->session_count >= served->http->settings->max_sessions ||
        (!is_stateless && !make_id(id)))
        return NULL;
    struct http_session *session = xcalloc(1, sizeof(*session));
    session->served = served;
    session->principal = *principal;
    session->has_begun = is_stateless;
    session->used_ms = http_now_ms();
    session->last_event = &session->first_event;
    memcpy(session->id, id, sizeof(id));
    session->next = served->sessions;
    served->sessions = session;
    served->session_count++;
    served->http->counters.sessions++;
    const struct task task = {.kind = TASK_OPEN, .session = session};
    served_add(served, &task);
    return session;
}

/* Nothing more comes on it. */
static void finish(struct stream *stream)
{
    if (!stream->is_done && !stream->is_standing)
        stream->session->served->running--;
    stream->is_done = true;
}

void session_end(struct http_session *session)
{
    struct served *served = session->served;
    struct http_session **place = &served->sessions;
    while (*place != session)
        place = &(*place)->next;
    *place = session->next;
    served->session_count--;
    served->used_ms = http_now_ms();
    session->is_closed = true;
    stream_drop_events(session);
    while (session->streams) {
        struct stream *stream = session->streams;
        session->streams = stream->next;
        finish(stream);
        stream->session = NULL;
        if (stream->request)
            stream_wake(stream);
        else
            stream_free(stream);
    }
    const struct task task = {.kind = TASK_CLOSE, .session = session};
    served_add(served, &task);
}

/* --- What comes --- */

static struct stream *standing_stream(struct http_session *session)
{
    struct stream *stream = session->streams;
    while (stream && !stream->is_standing)
        stream = stream->next;
    return stream;
}

static void take_answer(struct stream *stream, const struct outgoing *outgoing)
{
    struct http_session *session = stream->session;
    stream->kind = outgoing->kind;
    if (stream->has_events) {
        if (outgoing->length)
            stream_add_event(stream, outgoing->bytes, outgoing->length, true);
    } else if (outgoing->length) {
        strbuf_add(&stream->answer, outgoing->bytes, outgoing->length);
        stream->has_answer = true;
        if (stream->request) {
            stream->request->held += outgoing->length;
            session->served->held += outgoing->length;
        }
    }
    finish(stream);
    if (outgoing->kind == ANSWER_BEGINS && session->id[0] && stream->request) {
        session->has_begun = true;
        memcpy(stream->request->session_id, session->id, sizeof(session->id));
    }
}

static void take_for_stream(struct stream *stream, const struct outgoing *outgoing)
{
    struct http_session *session = stream->session;
    session->used_ms = http_now_ms();
    if (outgoing->is_last) {
        take_answer(stream, outgoing);
        stream_wake(stream);
        if (!stream->request)
            stream_free(stream);
        /* It was no `initialize`. */
        if (!session->has_begun)
            session_end(session);
    } else if (outgoing->length) {
        if (!stream->has_events)
            stream_begin_events(stream);
        stream_add_event(stream, outgoing->bytes, outgoing->length, false);
    }
}

void session_take(void *context, const struct outgoing *outgoing)
{
    struct http_session *session = context;
    struct served *served = session->served;
    struct http *http = served->http;
    pthread_mutex_lock(&http->lock);
    http->counters.messages++;
    if (session->is_closed) {
        pthread_mutex_unlock(&http->lock);
        return;
    }
    struct stream *stream = stream_find(session, outgoing->exchange);
    if (!stream && !outgoing->is_last)
        stream = standing_stream(session);
    if (outgoing->is_gone) {
        served->is_failed = true;
        served_leave(served);
    } else if (served->held + outgoing->length > HELD_AT_MOST) {
        /* Whose clients read nothing, or ask for too much at once. */
        session_end(session);
    } else if (stream) {
        take_for_stream(stream, outgoing);
    }
    pthread_mutex_unlock(&http->lock);
}
