/* Connections: whose they are, and how long they may take. */
#include "http_state.h"

#include "scopefs/mem.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_owner(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* libmicrohttpd does not look at a connection that waits for us. */
static void watch(struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    (void)!epoll_ctl(connection->http->hangups, EPOLL_CTL_ADD, connection->fd, &event);
}

static void begin(struct http *http, struct MHD_Connection *mhd, void **own)
{
    struct connection *connection = xcalloc(1, sizeof(*connection));
    connection->http = http;
    connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection->is_owner = http->settings->place.is_unix && is_owner(connection->fd);
    connection->idle_since_ms = http_now_ms();
    connection->next = http->connections;
    http->connections = connection;
    http->connection_count++;
    watch(connection);
    *own = connection;
}

static void end(struct http *http, struct connection *connection)
{
    struct connection **place = &http->connections;
    while (*place != connection)
        place = &(*place)->next;
    *place = connection->next;
    http->connection_count--;
    (void)!epoll_ctl(http->hangups, EPOLL_CTL_DEL, connection->fd, NULL);
    free(connection);
}

void connection_notify(void *context, struct MHD_Connection *mhd, void **own,
                       enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        begin(context, mhd, own);
    else if (*own)
        end(context, *own);
}

bool connection_admit(struct connection *connection, const struct principal *principal)
{
    size_t count = 0;
    if (connection->is_known && principal_equal(&connection->principal, principal))
        return true;
    for (struct connection *other = connection->http->connections; other; other = other->next)
        if (other != connection && other->is_known && principal_equal(&other->principal, principal))
            count++;
    /* So that no one agent keeps out the others. Where nobody has a token, all are one. */
    if (connection->http->tokens && count >= CONNECTIONS_AT_MOST / 2)
        return false;
    connection->is_known = true;
    connection->principal = *principal;
    return true;
}

/* What takes long becomes a stream, whose beginning a client can hold on to. */
static void look_after_stream(struct request *request, uint64_t now_ms)
{
    struct stream *stream = request->stream;
    if (!stream || !stream->session)
        return;
    if (stream->has_events && now_ms >= request->sent_ms + KEEP_ALIVE_MS)
        stream_wake(stream);
    else if (!stream->has_events && !stream->is_done && stream->session->has_begun &&
             now_ms >= stream->began_ms + EVENTS_AFTER_MS)
        stream_begin_events(stream);
}

void connections_sweep(struct http *http, uint64_t now_ms)
{
    pthread_mutex_lock(&http->lock);
    for (struct connection *connection = http->connections; connection;
         connection = connection->next) {
        struct request *request = connection->request;
        uint64_t patience_ms = connection->is_known ? REQUEST_PATIENCE_MS : STRANGER_PATIENCE_MS;
        if (request && request->is_submitted)
            look_after_stream(request, now_ms);
        /* Of a request that is cut libmicrohttpd may not see the end: it came with the bytes. */
        else if (now_ms >= connection->idle_since_ms + patience_ms ||
                 (connection->has_hung_up && !(request && request->is_complete)))
            shutdown(connection->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&http->lock);
}

void connections_take_hangups(struct http *http)
{
    struct epoll_event events[64];
    int count = epoll_wait(http->hangups, events, 64, 0);
    pthread_mutex_lock(&http->lock);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        struct request *request = connection->request;
        connection->has_hung_up = true;
        if (!request || !request->is_suspended || !request->stream)
            continue;
        request->is_gone = true;
        stream_wake(request->stream);
    }
    pthread_mutex_unlock(&http->lock);
}
