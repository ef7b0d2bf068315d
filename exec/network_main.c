/*
 * scopefs-network: outside of the sandbox, makes the connections that the scope allows. It is
 * started by scopefs-exec for each sandbox, as the command's user, with a channel to the forwarder
 * inside, a socket for what is refused, and the scope's patterns. What comes from inside is a name,
 * a port and a stream of bytes; it reads nothing else of it.
 *
 * Of the existing proxies none looks at the addresses behind a name, speaks HTTP and SOCKS, and
 * needs no port of the host's, where every other user could reach it.
 */
#include "network_confine.h"
#include "network_connect.h"
#include "network_decision.h"
#include "network_link.h"
#include "network_report.h"
#include "relay.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CONNECTIONS 128
/* For a decision and a connection, with all addresses of a name. */
#define PATIENCE_SECONDS 60
#define IDLE_MS          (15 * 60 * 1000)

struct network {
    int channel, report;
    struct network_pattern *patterns;
    size_t pattern_count;
    unsigned connections; /* processes */
};

/* --- One connection, in a process of its own --- */

static void answer(int stream, char letter, const char *text)
{
    char line[NETWORK_NAME_ROOM + NETWORK_REASON_ROOM + 16];
    int size = snprintf(line, sizeof(line), "%c%s", letter, text);
    (void)!send(stream, line, (size_t)size, MSG_NOSIGNAL);
}

static void tell_owner(const struct network *network, const struct link_request *request,
                       const struct network_decision *decision)
{
    struct network_refusal refusal = {.port = request->port};
    memcpy(refusal.host, request->host, sizeof(refusal.host));
    memcpy(refusal.reason, decision->reason, sizeof(refusal.reason));
    (void)!send(network->report, &refusal, sizeof(refusal), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int refuse(const struct network *network, int stream, const struct link_request *request,
                  const struct network_decision *decision)
{
    char text[NETWORK_NAME_ROOM + NETWORK_REASON_ROOM + 16];
    bool by_rule = decision->answer == NETWORK_REFUSED;
    snprintf(text, sizeof(text), "%s:%u: %s", request->host, request->port, decision->reason);
    if (by_rule)
        tell_owner(network, request, decision);
    answer(stream, by_rule ? LINK_REFUSED : LINK_UNKNOWN, text);
    return 1;
}

static int move_bytes(int stream, int remote)
{
    static struct relay relay;
    struct pollfd wanted[2];
    relay.ends[0] = stream;
    relay.ends[1] = remote;
    do {
        relay_want(&relay, wanted);
        int count = poll(wanted, 2, IDLE_MS);
        if (count == 0 || (count < 0 && errno != EINTR))
            return 1;
        if (count < 0)
            wanted[0].revents = wanted[1].revents = 0;
    } while (relay_run(&relay, wanted));
    return 0;
}

static int serve(const struct network *network, int stream, const struct link_request *request)
{
    struct network_decision decision;
    char text[NETWORK_NAME_ROOM + NETWORK_REASON_ROOM];
    alarm(PATIENCE_SECONDS);
    network_decide(network->patterns, network->pattern_count, request->host, request->port,
                   &network_real_world, &decision);
    if (decision.answer != NETWORK_PERMITTED)
        return refuse(network, stream, request, &decision);
    int remote = network_connect(&decision.targets, request->port);
    if (remote < 0) {
        snprintf(text, sizeof(text), "%s:%u: %s", request->host, request->port, strerror(errno));
        answer(stream, LINK_UNREACHABLE, text);
        return 1;
    }
    alarm(0);
    answer(stream, LINK_CONNECTED, "");
    return network_confine_to_relay() < 0 ? 1 : move_bytes(stream, remote);
}

/* --- The channel --- */

/* Anything else than one end of a stream between processes is not what the forwarder sends. */
static bool is_stream(int fd)
{
    int domain = 0, type = 0;
    socklen_t domain_size = sizeof(domain), type_size = sizeof(type);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 && domain == AF_UNIX &&
           type == SOCK_STREAM;
}

/* The stream's descriptor; -1 for a message that makes no sense, -2 at the end. */
static int receive(int channel, struct link_request *request)
{
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {.iov_base = request, .iov_len = sizeof(*request)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t size = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    if (size <= 0)
        return size < 0 && errno == EINTR ? -1 : -2;
    cleanup_fd int fd = -1;
    const struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS &&
        rights->cmsg_len == CMSG_LEN(sizeof(fd)))
        memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
    if (size != sizeof(*request) || fd < 0 || !is_stream(fd) ||
        !memchr(request->host, '\0', sizeof(request->host)))
        return -1;
    return fd_steal(&fd);
}

static void await_room(struct network *network)
{
    bool is_full = network->connections >= MAX_CONNECTIONS;
    while (network->connections && waitpid(-1, NULL, is_full ? 0 : WNOHANG) > 0) {
        network->connections--;
        is_full = false;
    }
}

static void start_connection(struct network *network, int stream,
                             const struct link_request *request)
{
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        _exit(getppid() == parent ? serve(network, stream, request) : 1);
    }
    if (child > 0)
        network->connections++;
    else
        answer(stream, LINK_UNREACHABLE, "there are too many processes on this host");
}

static void run(struct network *network)
{
    for (;;) {
        struct link_request request;
        await_room(network);
        cleanup_fd int stream = receive(network->channel, &request);
        if (stream == -2)
            return;
        if (stream >= 0)
            start_connection(network, stream, &request);
    }
}

static bool set_up(struct network *network, char **arguments, size_t count)
{
    const char *message;
    size_t offset;
    network->channel = atoi(arguments[0]);
    network->report = atoi(arguments[1]);
    network->patterns = xcalloc(count, sizeof(*network->patterns));
    for (char **text = arguments + 2; *text; text++)
        if (!network_pattern_parse(*text, &network->patterns[network->pattern_count++], &offset,
                                   &message))
            return false;
    /* No other descriptor: what is connected to inside must not reach the caller's terminal. */
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
        return false;
    close(null_fd);
    return network_confine() == 0;
}

int main(int argc, char **argv)
{
    static struct network network;
    if (argc < 4 || !set_up(&network, argv + 1, (size_t)argc)) {
        fputs("scopefs-network: it cannot run; it is started by scopefs-exec only\n", stderr);
        return 1;
    }
    run(&network);
    return 0;
}
