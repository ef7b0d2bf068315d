/* Fuzz target: the server of the Model Context Protocol, from the bytes of messages to tools that
 * work on a small folder. The input is messages, one a line; a line that begins with "!" closes the
 * session and opens another one, "@" begins what HTTP's headers said of the next one, and "~"
 * cancels the last one. What goes out must be JSON on one line, and each message must come to its
 * end once. */
#include "fuzz.h"

#include "../../mcp/server.h"
#include "scopefs/mem.h"

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGES_AT_MOST 64

static struct server *server;
static char folder[] = "/tmp/scopefs-fuzz.XXXXXX";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned ends[MESSAGES_AT_MOST + 1]; /* of each exchange; lock */

static void check_message(const struct frame *frame, const char *bytes)
{
    json_error_t error;
    json_t *message = json_loadb(bytes, frame->length, JSON_ALLOW_NUL, &error);
    fuzz_check(message, "what was sent is no JSON: %s", error.text);
    fuzz_check(!memchr(bytes, '\n', frame->length), "a message has more than one line");
    json_decref(message);
}

/* Commands end at once, so that nothing waits for them. */
static void end_job(uint32_t job)
{
    static const char report[] = "{\"exit_status\":0}";
    const struct frame started = {.type = FRAME_JOB_STARTED, .job = job};
    const struct frame printed = {.type = FRAME_JOB_OUTPUT, .job = job, .length = 4};
    const struct frame ended = {.type = FRAME_JOB_ENDED, .job = job, .length = sizeof(report) - 1};
    server_take(server, &started, "");
    server_take(server, &printed, "out\n");
    server_take(server, &ended, report);
}

static void sink(void *context, const struct frame *frame, const void *bytes)
{
    (void)context;
    if (frame->type == FRAME_JOB_START)
        end_job(frame->job);
    if (frame->type != FRAME_MESSAGE)
        return;
    if (frame->length)
        check_message(frame, bytes);
    fuzz_check(frame->exchange <= MESSAGES_AT_MOST, "an exchange that was never begun");
    pthread_mutex_lock(&lock);
    ends[frame->exchange] += (frame->flags & FRAME_LAST) != 0;
    pthread_mutex_unlock(&lock);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    return place->level ? remove(path) : 0;
}

static void store(const char *name, const char *contents)
{
    cleanup_free char *path = xasprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    fuzz_check(file && fputs(contents, file) >= 0 && fclose(file) == 0, "no file %s", path);
}

/* As it was for every input: what one did is not the next one's matter. */
static void make_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    cleanup_free char *below = xasprintf("%s/d", folder);
    fuzz_check(mkdir(below, 0755) == 0, "no folder %s", below);
    store("a", "alpha\nbeta\r\ngr\xc3\xbc\xc3\x9f\n");
    store("d/b", "\xff\xfe"
                 "a\0b\0");
    store("d/c", "needle\n");
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    rmdir(folder);
}

static void prepare(void)
{
    if (server)
        return;
    /* No ripgrep: another program is not what is tried here. */
    setenv("PATH", "", 1);
    signal(SIGPIPE, SIG_IGN);
    fuzz_check(mkdtemp(folder), "no folder");
    atexit(remove_folder);
    const struct server_settings settings = {
        .workspace = "/workspace",
        .root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
        .page_size = 5,
        .threads = 2,
        .sink = sink,
    };
    server = server_new(&settings);
}

static void give(uint16_t type, uint32_t session, uint64_t exchange, const uint8_t *bytes,
                 size_t size)
{
    const struct frame frame = {
        .type = type, .session = session, .exchange = exchange, .length = (uint32_t)size};
    server_take(server, &frame, (const char *)bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint32_t session;
    uint64_t exchange = 0;
    prepare();
    make_folder();
    memset(ends, 0, sizeof(ends));
    give(FRAME_OPEN, ++session, 0, NULL, 0);
    while (size && exchange < MESSAGES_AT_MOST) {
        const uint8_t *newline = memchr(data, '\n', size);
        size_t length = newline ? (size_t)(newline - data) : size;
        if (length && data[0] == '!') {
            give(FRAME_CLOSE, session, 0, NULL, 0);
            give(FRAME_OPEN, ++session, 0, NULL, 0);
        } else if (length && data[0] == '@') {
            give(FRAME_HEADERS, session, 0, data + 1, length - 1);
        } else if (length && data[0] == '~') {
            give(FRAME_CANCEL, session, exchange, NULL, 0);
        } else {
            give(FRAME_MESSAGE, session, ++exchange, data, length);
        }
        data += length + (newline ? 1 : 0);
        size -= length + (newline ? 1 : 0);
    }
    server_settle(server);
    give(FRAME_CLOSE, session, 0, NULL, 0);
    for (uint64_t number = 1; number <= exchange; number++)
        fuzz_check(ends[number] == 1, "message %llu ended %u times", (unsigned long long)number,
                   ends[number]);
    return 0;
}
