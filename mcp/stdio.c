#include "stdio.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define READ_SIZE 65536

struct stdio {
    struct client *client;
    struct strbuf line; /* what was read of it */
    bool is_oversized;  /* the line, whose rest is dropped */
    uint64_t last_exchange;
    int signals;
    int wake; /* an eventfd: something below has changed */
    pthread_mutex_t lock;
    uint64_t open_exchanges; /* lock */
    bool is_gone;            /* lock: the worker, or whoever reads the output */
};

static void write_message(struct stdio *stdio, const struct outgoing *outgoing)
{
    static const char newline = '\n';
    if (outgoing->length == 0)
        return;
    if (fd_write_all(STDOUT_FILENO, outgoing->bytes, outgoing->length) < 0 ||
        fd_write_all(STDOUT_FILENO, &newline, 1) < 0)
        stdio->is_gone = true;
}

static void take_outgoing(void *context, const struct outgoing *outgoing)
{
    struct stdio *stdio = context;
    pthread_mutex_lock(&stdio->lock);
    write_message(stdio, outgoing);
    stdio->is_gone = stdio->is_gone || outgoing->is_gone;
    if (outgoing->is_last && stdio->open_exchanges)
        stdio->open_exchanges--;
    bool is_worth_a_look = stdio->is_gone || stdio->open_exchanges == 0;
    pthread_mutex_unlock(&stdio->lock);
    if (is_worth_a_look)
        (void)!eventfd_write(stdio->wake, 1);
}

static void end_line(struct stdio *stdio)
{
    struct strbuf *line = &stdio->line;
    if (line->length && line->bytes[line->length - 1] == '\r')
        line->length--;
    if (line->length || stdio->is_oversized) {
        pthread_mutex_lock(&stdio->lock);
        stdio->open_exchanges++;
        pthread_mutex_unlock(&stdio->lock);
        client_receive(stdio->client, ++stdio->last_exchange, NULL, line->bytes,
                       stdio->is_oversized ? MESSAGE_LIMIT + 1 : line->length);
    }
    stdio->is_oversized = false;
    strbuf_clear(line);
    if (line->room > 4 * READ_SIZE)
        strbuf_free(line);
}

static void take_bytes(struct stdio *stdio, const char *bytes, size_t size)
{
    const char *end = bytes + size;
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t length = (size_t)((newline ? newline : end) - bytes);
        if (stdio->line.length + length > MESSAGE_LIMIT) {
            stdio->is_oversized = true;
            strbuf_clear(&stdio->line);
        }
        if (!stdio->is_oversized)
            strbuf_add(&stdio->line, bytes, length);
        if (newline)
            end_line(stdio);
        bytes += length + 1;
    }
}

/* False at the end of the input. */
static bool read_input(struct stdio *stdio)
{
    char bytes[READ_SIZE];
    ssize_t size = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (size < 0)
        return errno == EINTR || errno == EAGAIN;
    take_bytes(stdio, bytes, (size_t)size);
    if (size == 0)
        end_line(stdio);
    return size > 0;
}

static bool is_done(struct stdio *stdio, bool has_input)
{
    pthread_mutex_lock(&stdio->lock);
    bool done = stdio->is_gone || (!has_input && stdio->open_exchanges == 0);
    pthread_mutex_unlock(&stdio->lock);
    return done;
}

static void run(struct stdio *stdio)
{
    bool has_input = true;
    eventfd_t count;
    while (!is_done(stdio, has_input)) {
        struct pollfd items[] = {
            {.fd = stdio->signals, .events = POLLIN},
            {.fd = stdio->wake, .events = POLLIN},
            /* Only whether somebody still reads. */
            {.fd = STDOUT_FILENO, .events = 0},
            {.fd = has_input ? STDIN_FILENO : -1, .events = POLLIN},
        };
        if (poll(items, 4, -1) < 0 && errno != EINTR)
            return;
        if (items[0].revents || items[2].revents)
            return;
        if (items[1].revents)
            (void)!eventfd_read(stdio->wake, &count);
        if (items[3].revents)
            has_input = read_input(stdio);
    }
}

static int open_descriptors(struct stdio *stdio, struct error **error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR &&
        (stdio->signals = signalfd(-1, &set, SFD_CLOEXEC)) >= 0 &&
        (stdio->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) >= 0)
        return 0;
    return error_set(error, errno, "cannot wait for signals");
}

int stdio_serve(struct host *host, struct error **error)
{
    struct stdio stdio = {.signals = -1, .wake = -1, .lock = PTHREAD_MUTEX_INITIALIZER};
    int result = open_descriptors(&stdio, error);
    if (result == 0 && (stdio.client = client_open(host, take_outgoing, &stdio))) {
        run(&stdio);
        client_close(stdio.client);
    }
    if (result == 0 && !host_is_alive(host))
        result = error_set(error, 0, "the worker is gone");
    fd_close(&stdio.signals);
    fd_close(&stdio.wake);
    strbuf_free(&stdio.line);
    return result;
}
