#include "audit_log.h"

#include "audit.h"
#include "scopefs/audit_line.h"
#include "scopefs/fd.h"
#include "scopefs/hash.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH_SIZE = 64 * 1024, /* what a pipe holds */
    REPEAT_SLOTS = 256,
    WINDOW_MS = 5000, /* for how long repeats are counted */
    PAUSE_MS = 50,    /* between batches of a flood */
};

/* The last record with this hash, and how often it came again. */
struct audit_repeat {
    uint64_t hash; /* 0: none */
    int64_t first_ms;
    struct audit_line line;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void audit_log_open(struct audit_log *log, const char *scope, unsigned targets, int pipe_fd,
                    bool tell_people)
{
    *log = (struct audit_log){
        .scope = scope,
        .pipe_fd = pipe_fd,
        .tell_people = tell_people,
        .repeats = xcalloc(REPEAT_SLOTS, sizeof(struct audit_repeat)),
        .bytes = xmalloc(BATCH_SIZE),
    };
    audit_sink_open(&log->sink, scope, targets);
}

int audit_log_descriptor(const struct audit_log *log)
{
    return log->is_paused ? -1 : log->pipe_fd;
}

int audit_log_timeout(const struct audit_log *log)
{
    if (log->is_paused)
        return PAUSE_MS;
    return log->pending ? WINDOW_MS : -1;
}

static void write_line(struct audit_log *log, const struct audit_line *line)
{
    cleanup_strbuf struct strbuf plain = {0};
    audit_sink_add(&log->sink, line);
    if (!log->tell_people)
        return;
    audit_line_describe(line, &plain);
    log_info("%s: %s", log->scope, plain.bytes);
}

static char *time_text(int64_t ms)
{
    struct tm utc;
    char text[32];
    time_t seconds = (time_t)(ms / 1000);
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    return xasprintf("%s.%03dZ", text, (int)(ms % 1000));
}

/* Best effort: it may have ended already. */
static char *command_name(pid_t process)
{
    char path[32], name[64] = "";
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)process);
    cleanup_fd int fd = process > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t length = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);
    return xmemdup0(name, length > 0 ? (size_t)length - 1 : 0);
}

static struct audit_line make_line(const struct audit_log *log, const struct audit_record *record)
{
    return (struct audit_line){
        .time = time_text(record->time_ms),
        .scope = xstrdup(log->scope),
        .operation = xstrdup(record->operation),
        .path = xasprintf("/%s", record->path),
        .wanted = xstrdup(level_name(record->wanted)),
        .level = xstrdup(level_name(record->level)),
        .decider = xstrdup(record->decider),
        .rule = xstrdup(record->rule),
        .error = record->answer ? xstrdup(strerrorname_np(record->answer)) : NULL,
        .command = command_name(record->process),
        .process = record->process,
        .user = (long)record->user,
        .dropped = record->dropped,
    };
}

/* What makes two records the same but for their time and process. The names in it are the agent's
 * to choose, so that an equal hash alone says nothing. */
static uint64_t hash_of(const struct audit_record *record)
{
    uint64_t hash = HASH_START;
    hash = hash_bytes(hash, record->operation, strlen(record->operation) + 1);
    hash = hash_bytes(hash, record->decider, strlen(record->decider) + 1);
    hash = hash_bytes(hash, record->path, strlen(record->path) + 1);
    hash = hash_bytes(hash, &record->answer, sizeof(record->answer));
    hash = hash_bytes(hash, &record->wanted, sizeof(record->wanted));
    hash = hash_bytes(hash, &record->user, sizeof(record->user));
    return hash ? hash : 1;
}

static bool is_repeat(const struct audit_line *line, const struct audit_record *record)
{
    const char *error = record->answer ? strerrorname_np(record->answer) : "";
    return strcmp(line->operation, record->operation) == 0 &&
           strcmp(line->path + 1, record->path) == 0 &&
           strcmp(line->decider, record->decider) == 0 &&
           strcmp(line->wanted, level_name(record->wanted)) == 0 &&
           strcmp(line->error ? line->error : "", error) == 0 && line->user == (long)record->user;
}

static void forget(struct audit_log *log, struct audit_repeat *repeat)
{
    if (repeat->line.repeats) {
        write_line(log, &repeat->line);
        log->pending--;
    }
    audit_line_free(&repeat->line);
    repeat->hash = 0;
}

static void tell_feeds(struct audit_log *log, const struct audit_record *record)
{
    if (log->feeds.count == 0 || record->answer == 0)
        return;
    struct audit_line line = make_line(log, record);
    audit_feeds_tell(&log->feeds, &line);
    audit_line_free(&line);
}

static void take_record(struct audit_log *log, const struct audit_record *record)
{
    tell_feeds(log, record);
    uint64_t hash = hash_of(record);
    struct audit_repeat *repeat = &log->repeats[hash % REPEAT_SLOTS];
    if (repeat->hash == hash && is_repeat(&repeat->line, record) &&
        record->time_ms - repeat->first_ms < WINDOW_MS) {
        if (repeat->line.repeats++ == 0)
            log->pending++;
        repeat->line.dropped += record->dropped;
        free(repeat->line.time);
        repeat->line.time = time_text(record->time_ms);
        return;
    }
    if (repeat->hash)
        forget(log, repeat);
    *repeat = (struct audit_repeat){
        .hash = hash,
        .first_ms = record->time_ms,
        .line = make_line(log, record),
    };
    write_line(log, &repeat->line);
    repeat->line.dropped = 0;
}

static void take_records(struct audit_log *log)
{
    size_t done = 0;
    for (;;) {
        struct audit_record record;
        ssize_t size = audit_decode(log->bytes + done, log->length - done, &record);
        if (size == 0)
            break;
        if (size < 0) {
            log_error("%s: the server's records cannot be read any more", log->scope);
            fd_close(&log->pipe_fd);
            done = log->length;
            break;
        }
        take_record(log, &record);
        done += (size_t)size;
    }
    log->length -= done;
    memmove(log->bytes, log->bytes + done, log->length);
}

/* True when there was as much as could be read at once. */
static bool read_batch(struct audit_log *log)
{
    size_t room = BATCH_SIZE - log->length;
    ssize_t got = read(log->pipe_fd, log->bytes + log->length, room);
    if (got == 0)
        fd_close(&log->pipe_fd);
    if (got <= 0)
        return false;
    log->length += (size_t)got;
    take_records(log);
    return (size_t)got > room / 2;
}

static void flush_repeats(struct audit_log *log, bool all)
{
    int64_t now = now_ms();
    for (size_t i = 0; log->pending && i < REPEAT_SLOTS; i++) {
        struct audit_repeat *repeat = &log->repeats[i];
        if (repeat->line.repeats && (all || now - repeat->first_ms >= WINDOW_MS))
            forget(log, repeat);
    }
}

void audit_log_run(struct audit_log *log, bool has_input)
{
    bool was_paused = log->is_paused;
    log->is_paused = false;
    if (log->pipe_fd >= 0 && (has_input || was_paused))
        log->is_paused = read_batch(log);
    flush_repeats(log, false);
}

void audit_log_catch_up(struct audit_log *log)
{
    /* What else a flood adds meanwhile is no part of it. */
    for (unsigned batch = 0; batch < 4 && log->pipe_fd >= 0 && read_batch(log); batch++)
        ;
}

void audit_log_close(struct audit_log *log)
{
    while (log->pipe_fd >= 0 && read_batch(log))
        ;
    flush_repeats(log, true);
    for (size_t i = 0; i < REPEAT_SLOTS; i++)
        audit_line_free(&log->repeats[i].line);
    free(log->repeats);
    free(log->bytes);
    fd_close(&log->pipe_fd);
    audit_sink_close(&log->sink);
    audit_feeds_close(&log->feeds);
}
