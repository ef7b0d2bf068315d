#include "audit.h"

#include "caller.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Up to PIPE_BUF bytes a write to a pipe is whole or not at all (pipe(7)). */
enum { DECIDER_LIMIT = 1024, RULE_LIMIT = 512 };

struct header {
    uint32_t size; /* with this header */
    uint32_t dropped;
    int64_t time_ms;
    int32_t process, answer;
    uint32_t user;
    uint8_t wanted, level;
};

struct packet {
    struct header header;
    char text[PIPE_BUF - sizeof(struct header)];
};

/* Adds the text with its NUL, at most `limit` bytes of it. */
static void add_text(struct packet *packet, const char *text, size_t length, size_t limit)
{
    size_t used = packet->header.size - sizeof(packet->header);
    if (length > limit)
        length = limit;
    if (length > sizeof(packet->text) - used - 1)
        length = sizeof(packet->text) - used - 1;
    memcpy(packet->text + used, text, length);
    packet->text[used + length] = '\0';
    packet->header.size += (uint32_t)length + 1;
}

static enum level level_for(enum want want)
{
    if (want == WANT_SEE)
        return LEVEL_VIEW;
    return want == WANT_READ ? LEVEL_READ : LEVEL_WRITE;
}

static void add_decider(struct packet *packet, const struct state *state)
{
    struct verdict verdict = state_verdict(state);
    const struct rule *decider = verdict.ceiling ? verdict.ceiling : verdict.rule;
    char text[DECIDER_LIMIT + 1] = "default", rule[RULE_LIMIT + 1] = "";
    if (verdict.parent)
        snprintf(text, sizeof(text), "parent %s", verdict.parent);
    else if (decider)
        snprintf(text, sizeof(text), "%s:%u", decider->file, decider->line);
    if (decider && !verdict.parent)
        snprintf(rule, sizeof(rule), "%s%s = %s", decider->is_ceiling ? "ceiling " : "",
                 level_name(decider->level), decider->pattern);
    add_text(packet, text, strlen(text), DECIDER_LIMIT);
    add_text(packet, rule, strlen(rule), RULE_LIMIT);
}

static void add_path(struct packet *packet, struct view *view, struct node *node, const char *name)
{
    cleanup_node_path struct node_path path;
    if (node_path(view->nodes, node, name, &path) == 0)
        add_text(packet, path.bytes, path.length, SIZE_MAX);
    else
        add_text(packet, name ? name : "", name ? strlen(name) : 0, SIZE_MAX);
}

static void send_packet(struct view *view, struct packet *packet)
{
    packet->header.dropped =
        (uint32_t)atomic_exchange_explicit(&view->counters.unrecorded, 0, memory_order_relaxed);
    if (write(view->audit_fd, packet, packet->header.size) < 0)
        atomic_fetch_add_explicit(&view->counters.unrecorded, packet->header.dropped + 1,
                                  memory_order_relaxed);
}

static bool is_wanted(const struct view *view, enum want want, int answer)
{
    if (answer)
        return true;
    return view->log == LOG_ALL || (view->log == LOG_WRITES && level_for(want) == LEVEL_WRITE);
}

void audit_note(struct view *view, struct node *node, const char *name, const struct state *state,
                enum want want, const char *operation, int answer)
{
    struct packet packet;
    struct timespec now;
    if (!is_wanted(view, want, answer))
        return;
    struct caller caller = caller_now();
    if (answer)
        atomic_fetch_add_explicit(&view->counters.refusals, 1, memory_order_relaxed);
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    packet.header = (struct header){
        .size = sizeof(packet.header),
        .time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
        .process = caller.process,
        .user = caller.user,
        .answer = answer,
        .wanted = (uint8_t)level_for(want),
        .level = (uint8_t)state_level(state),
    };
    add_text(&packet, operation, strlen(operation), RULE_LIMIT);
    add_decider(&packet, state);
    add_path(&packet, view, node, name);
    send_packet(view, &packet);
}

int audit_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

/* The next of the strings, or NULL when the bytes end before it does. */
static const char *next_text(const char **at, size_t *left)
{
    const char *text = *at, *end = memchr(text, '\0', *left);
    if (!end)
        return NULL;
    *left -= (size_t)(end - text) + 1;
    *at = end + 1;
    return text;
}

ssize_t audit_decode(const char *bytes, size_t size, struct audit_record *record)
{
    struct header header;
    if (size < sizeof(header))
        return 0;
    memcpy(&header, bytes, sizeof(header));
    if (header.size < sizeof(header) || header.size > PIPE_BUF || header.wanted > LEVEL_WRITE ||
        header.level > LEVEL_WRITE || !strerrorname_np(header.answer))
        return -1;
    if (header.size > size)
        return 0;
    const char *at = bytes + sizeof(header);
    size_t left = header.size - sizeof(header);
    *record = (struct audit_record){
        .time_ms = header.time_ms,
        .process = header.process,
        .user = header.user,
        .wanted = (enum level)header.wanted,
        .level = (enum level)header.level,
        .answer = header.answer,
        .dropped = header.dropped,
        .operation = next_text(&at, &left),
    };
    record->decider = record->operation ? next_text(&at, &left) : NULL;
    record->rule = record->decider ? next_text(&at, &left) : NULL;
    record->path = record->rule ? next_text(&at, &left) : NULL;
    return record->path ? (ssize_t)header.size : -1;
}
