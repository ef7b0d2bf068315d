#include "forwarder.h"

#include "network_link.h"
#include "proxy_request.h"
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 64
/* For saying what is wanted, and for taking the last answer. */
#define PATIENCE_MS 30000
#define REASON_ROOM 512

enum stage { STAGE_READING, STAGE_ASKING, STAGE_RELAYING, STAGE_ENDING };

struct client {
    enum stage stage;
    enum proxy_kind kind;
    bool is_greeted;
    bool was_refused; /* in STAGE_ASKING: the reason is being read */
    char answer;
    char reason[REASON_ROOM];
    size_t reason_size;
    int64_t deadline_ms; /* of STAGE_READING and STAGE_ENDING */
    int fds[2];          /* the client, and the pair's own end or -1 */
    struct relay relay;  /* from ends[0], the client */
};

struct forwarder {
    int channel, listener;
    struct client *clients[MAX_CLIENTS];
    size_t count;
    struct proxy_request request; /* of the client that is just being read */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- The last words --- */

static void say(const struct client *client, const char *bytes, size_t size)
{
    (void)!send(client->fds[0], bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* What the client still sends is read and dropped: closed before that, its system would throw the
 * answer away. */
static void end_after(struct client *client, const char *bytes, size_t size)
{
    say(client, bytes, size);
    shutdown(client->fds[0], SHUT_WR);
    client->stage = STAGE_ENDING;
    client->deadline_ms = now_ms() + PATIENCE_MS;
}

static void end_http(struct client *client)
{
    char text[REASON_ROOM + 256];
    const char *status = client->answer == LINK_REFUSED ? "403 Forbidden" : "502 Bad Gateway";
    const char *reason = client->reason_size ? client->reason : "the connection was not made";
    int length = client->reason_size ? (int)client->reason_size : (int)strlen(reason);
    int size = snprintf(text, sizeof(text),
                        "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n"
                        "scopefs: %.*s\n",
                        status, length, reason);
    end_after(client, text, (size_t)size);
}

static void end_socks(struct client *client)
{
    char reply[] = {5, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    reply[1] = client->answer == LINK_REFUSED ? 2 : client->answer == LINK_UNKNOWN ? 4 : 5;
    end_after(client, reply, sizeof(reply));
}

static void end_refused(struct client *client)
{
    if (client->kind == PROXY_SOCKS)
        end_socks(client);
    else
        end_http(client);
}

/* --- Asking --- */

static int send_request(int channel, const struct link_request *request, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {.iov_base = (void *)request, .iov_len = sizeof(*request)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
    return sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static void ask(struct forwarder *forwarder, struct client *client)
{
    int ends[2];
    client->stage = STAGE_ASKING;
    client->answer = LINK_UNREACHABLE;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        end_refused(client);
        return;
    }
    client->fds[1] = client->relay.ends[1] = ends[0];
    if (send_request(forwarder->channel, &forwarder->request.target, ends[1]) < 0)
        end_refused(client);
    close(ends[1]);
}

/* What is left in the buffer behind the request goes to the server, behind the head that it gets.
 */
static void take_request(struct forwarder *forwarder, struct client *client)
{
    const struct proxy_request *request = &forwarder->request;
    struct relay_flow *flow = &client->relay.flows[0];
    size_t left = flow->end - request->consumed;
    size_t head = request->kind == PROXY_HTTP ? request->head_size : 0;
    client->kind = request->kind;
    if (head + left > sizeof(flow->bytes)) {
        end_refused(client);
        return;
    }
    memmove(flow->bytes + head, flow->bytes + request->consumed, left);
    memcpy(flow->bytes, request->head, head);
    flow->end = head + left;
    ask(forwarder, client);
}

static void parse(struct forwarder *forwarder, struct client *client)
{
    struct proxy_request *request = &forwarder->request;
    struct relay_flow *flow = &client->relay.flows[0];
    switch (proxy_request_parse(flow->bytes, flow->end, client->is_greeted, request)) {
    case PROXY_UNFINISHED:
        return;
    case PROXY_WRONG:
        end_after(client, request->reply, request->reply_size);
        return;
    case PROXY_WHOLE:
        take_request(forwarder, client);
        return;
    case PROXY_GREETING:
        say(client, request->reply, request->reply_size);
        client->is_greeted = true;
        flow->end -= request->consumed;
        memmove(flow->bytes, flow->bytes + request->consumed, flow->end);
        parse(forwarder, client);
    }
}

/* --- Stages. Each returns false when the client is done with. --- */

static bool read_request(struct forwarder *forwarder, struct client *client)
{
    struct relay_flow *flow = &client->relay.flows[0];
    ssize_t size =
        recv(client->fds[0], flow->bytes + flow->end, PROXY_HEAD_LIMIT - flow->end, MSG_DONTWAIT);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    if (size == 0)
        return false;
    flow->end += (size_t)size;
    parse(forwarder, client);
    return true;
}

static void take_connection(struct client *client)
{
    static const char http[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    static const char socks[] = {5, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    struct relay_flow *flow = &client->relay.flows[1];
    if (client->kind == PROXY_CONNECT)
        relay_add(flow, http, sizeof(http) - 1);
    else if (client->kind == PROXY_SOCKS)
        relay_add(flow, socks, sizeof(socks));
    client->stage = STAGE_RELAYING;
}

static bool read_answer(struct client *client)
{
    char *to = client->was_refused ? client->reason + client->reason_size : &client->answer;
    size_t room = client->was_refused ? sizeof(client->reason) - client->reason_size : 1;
    ssize_t size = recv(client->fds[1], to, room, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (size <= 0) {
        end_refused(client);
    } else if (client->was_refused) {
        client->reason_size += (size_t)size;
    } else if (client->answer == LINK_CONNECTED) {
        take_connection(client);
    } else {
        client->was_refused = true;
    }
    return true;
}

static bool drop_rest(const struct client *client)
{
    char rest[4096];
    ssize_t size = recv(client->fds[0], rest, sizeof(rest), MSG_DONTWAIT);
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool serve(struct forwarder *forwarder, struct client *client, const struct pollfd ready[2])
{
    bool is_waiting = client->stage == STAGE_READING || client->stage == STAGE_ENDING;
    if (is_waiting && now_ms() >= client->deadline_ms)
        return false;
    if (client->stage == STAGE_RELAYING)
        return relay_run(&client->relay, ready);
    if (client->stage == STAGE_ASKING)
        return !ready[1].revents || read_answer(client);
    if (!ready[0].revents)
        return true;
    return client->stage == STAGE_READING ? read_request(forwarder, client) : drop_rest(client);
}

/* --- The loop --- */

static void accept_client(struct forwarder *forwarder)
{
    int fd = accept4(forwarder->listener, NULL, NULL, SOCK_CLOEXEC);
    struct client *client = fd < 0 ? NULL : calloc(1, sizeof(*client));
    if (!client) {
        if (fd >= 0)
            close(fd);
        return;
    }
    client->fds[0] = client->relay.ends[0] = fd;
    client->fds[1] = client->relay.ends[1] = -1;
    client->deadline_ms = now_ms() + PATIENCE_MS;
    forwarder->clients[forwarder->count++] = client;
}

static void drop(struct forwarder *forwarder, size_t number)
{
    struct client *client = forwarder->clients[number];
    close(client->fds[0]);
    if (client->fds[1] >= 0)
        close(client->fds[1]);
    free(client);
    forwarder->clients[number] = forwarder->clients[--forwarder->count];
}

static void want(const struct client *client, struct pollfd wanted[2])
{
    if (client->stage == STAGE_RELAYING) {
        relay_want(&client->relay, wanted);
        return;
    }
    bool asks = client->stage == STAGE_ASKING;
    wanted[0] = (struct pollfd){.fd = asks ? -1 : client->fds[0], .events = POLLIN};
    wanted[1] = (struct pollfd){.fd = asks ? client->fds[1] : -1, .events = POLLIN};
}

static void run_once(struct forwarder *forwarder)
{
    struct pollfd polled[2 + 2 * MAX_CLIENTS];
    size_t count = forwarder->count;
    polled[0] = (struct pollfd){.fd = forwarder->channel};
    polled[1] =
        (struct pollfd){.fd = count < MAX_CLIENTS ? forwarder->listener : -1, .events = POLLIN};
    for (size_t i = 0; i < count; i++)
        want(forwarder->clients[i], &polled[2 + 2 * i]);
    if (poll(polled, 2 + 2 * count, count ? 1000 : -1) < 0)
        return;
    /* scopefs-network is gone, and with it every connection. */
    if (polled[0].revents)
        _exit(0);
    /* From the end, because the last client takes the place of one that is dropped. */
    for (size_t i = count; i-- > 0;)
        if (!serve(forwarder, forwarder->clients[i], &polled[2 + 2 * i]))
            drop(forwarder, i);
    if (polled[1].revents)
        accept_client(forwarder);
}

static int listen_locally(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(LINK_PROXY_PORT),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, MAX_CLIENTS) < 0)
        return -1;
    return fd;
}

/* Keeps nothing but the two sockets, as descriptors 3 and 4. */
static bool keep_only(int channel, int listener)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int high_channel = fcntl(channel, F_DUPFD_CLOEXEC, 10);
    int high_listener = fcntl(listener, F_DUPFD_CLOEXEC, 10);
    if (null_fd < 0 || high_channel < 0 || high_listener < 0)
        return false;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (dup2(null_fd, fd) < 0)
            return false;
    return dup2(high_channel, 3) == 3 && dup2(high_listener, 4) == 4 && close_range(5, ~0U, 0) == 0;
}

static _Noreturn void forward(int channel, int listener)
{
    static struct forwarder forwarder = {.channel = 3, .listener = 4};
    prctl(PR_SET_NAME, "scopefs-forward");
    if (setsid() < 0 || !keep_only(channel, listener))
        _exit(1);
    for (;;)
        run_once(&forwarder);
}

/* What is sent to all processes of a command is not meant for this one; it ends with them. */
static void ignore_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
}

int forwarder_start(int channel)
{
    int status, listener = listen_locally();
    pid_t child = listener < 0 ? -1 : fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        /* Before the command can be there to send any. */
        ignore_signals();
        pid_t grandchild = fork();
        if (grandchild == 0)
            forward(channel, listener);
        _exit(grandchild < 0);
    }
    close(listener);
    if (waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    errno = EAGAIN;
    return -1;
}
