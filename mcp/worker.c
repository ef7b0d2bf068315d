/*
 * scopefs-mcp-worker: speaks the Model Context Protocol for one scope, inside the scope's sandbox.
 * It is started by scopefs-mcp through scopefs-exec, with the channel as its standard input and
 * output and the workspace as its working directory, and is not meant to be run by hand.
 */
#include "frame.h"
#include "scopefs/fd.h"
#include "server.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_FAILED = 125 };

/* One channel for what goes in and what comes out. */
#define CHANNEL STDIN_FILENO

static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

static void send_frame(void *context, const struct frame *frame, const void *bytes)
{
    (void)context;
    pthread_mutex_lock(&write_lock);
    /* When nobody listens any more, reading says so too. */
    (void)!frame_write(CHANNEL, frame, bytes);
    pthread_mutex_unlock(&write_lock);
}

static void serve(struct server *server)
{
    struct frame_input input = {0};
    struct frame frame;
    const char *bytes;
    while (frame_input_fill(&input, CHANNEL) > 0)
        while (frame_input_next(&input, &frame, &bytes) > 0)
            server_take(server, &frame, bytes);
    frame_input_free(&input);
}

/* A file that grows too large is an error of its tool, and no reason to die. */
static void prepare(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    umask(022);
    /* Threads come and go; an arena for each would cost memory and gain nothing here. */
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

int main(void)
{
    const char *workspace = getenv("PWD");
    struct stat status;
    if (!workspace || fstat(CHANNEL, &status) < 0 || !S_ISSOCK(status.st_mode)) {
        fputs("scopefs-mcp-worker: it is run by scopefs-mcp only\n", stderr);
        return STATUS_FAILED;
    }
    prepare();
    cleanup_fd int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        perror("scopefs-mcp-worker: the workspace cannot be opened");
        return STATUS_FAILED;
    }
    const struct server_settings settings = {
        .workspace = workspace, .root = root, .sink = send_frame};
    struct server *server = server_new(&settings);
    const struct frame ready = {.type = FRAME_READY};
    send_frame(NULL, &ready, NULL);
    serve(server);
    server_free(server);
    return 0;
}
