/* A search by ripgrep, which runs in the sandbox as the worker does. */
#include "hits.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_EVERY_MS 50

extern char **environ;

struct arguments {
    char *items[256];
    size_t count;
};

static void add(struct arguments *arguments, char *word)
{
    if (arguments->count + 1 < sizeof(arguments->items) / sizeof(arguments->items[0]))
        arguments->items[arguments->count++] = word;
    else
        free(word);
}

static void free_arguments(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        free(arguments->items[i]);
}

static void add_options(struct arguments *arguments, const struct grep_request *request,
                        enum hits_mode mode)
{
    static const char *const always[] = {"rg",           "--no-config",    "--no-ignore",
                                         "--null",       "--no-messages",  "--color=never",
                                         "--no-heading", "--with-filename"};
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        add(arguments, xstrdup(always[i]));
    add(arguments, xstrdup(mode == HITS_FILES    ? "--files-with-matches"
                           : mode == HITS_COUNTS ? "--count"
                                                 : "--line-number"));
    if (!request->skip_hidden)
        add(arguments, xstrdup("--hidden"));
    if (request->ignore_case)
        add(arguments, xstrdup("--ignore-case"));
    if (request->is_literal)
        add(arguments, xstrdup("--fixed-strings"));
    if (mode == HITS_LINES && (request->before || request->after)) {
        add(arguments, xasprintf("--before-context=%lld", request->before));
        add(arguments, xasprintf("--after-context=%lld", request->after));
        add(arguments, xstrdup("--no-context-separator"));
    }
}

static void build(struct arguments *arguments, const struct grep_request *request,
                  enum hits_mode mode)
{
    size_t index;
    json_t *pattern;
    add_options(arguments, request, mode);
    if (request->files)
        add(arguments, xasprintf("--glob=%s", request->files));
    json_array_foreach(request->excluded, index, pattern)
        add(arguments, xasprintf("--glob=!%s", json_string_value(pattern)));
    add(arguments, xasprintf("--regexp=%s", request->pattern));
    add(arguments, xstrdup("--"));
    add(arguments, xstrdup("."));
    arguments->items[arguments->count] = NULL;
}

/* 0, or an errno. */
static int start(pid_t *child, struct arguments *arguments, int folder, int output, int errors)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    posix_spawn_file_actions_addfchdir_np(&actions, folder);
    int number = posix_spawnp(child, "rg", &actions, &attributes, arguments->items, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return number;
}

/* Reads until the end, or until there is more than is kept. False when the call was cancelled. */
static bool read_output(struct call *call, int fd, struct hits *hits)
{
    char bytes[65536];
    for (;;) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        if (call_is_cancelled(call))
            return false;
        if (poll(&item, 1, LOOK_EVERY_MS) <= 0)
            continue;
        ssize_t size = read(fd, bytes, sizeof(bytes));
        if (size <= 0)
            return true;
        strbuf_add(&hits->bytes, bytes, (size_t)size);
        if (hits->bytes.length > HITS_BYTES) {
            hits->is_incomplete = true;
            return true;
        }
    }
}

static const char *without_dot(const char *path)
{
    return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

/* PATH NUL NUMBER (":" or "-") TEXT NEWLINE; of counts without the text. */
static void take_line(struct hits *hits, char *line, char *newline)
{
    char *nul = memchr(line, '\0', (size_t)(newline - line));
    char *end;
    if (!nul)
        return;
    struct hit hit = {.path = without_dot(line), .line = strtoul(nul + 1, &end, 10)};
    if (end == nul + 1)
        return;
    if (hits->mode == HITS_LINES) {
        hit.is_context = *end == '-';
        hit.text = end + 1;
        hit.length = end < newline ? (size_t)(newline - end - 1) : 0;
    }
    hits_add(hits, &hit);
}

static void take_output(struct hits *hits)
{
    char *at = hits->bytes.bytes;
    char *end = at ? at + hits->bytes.length : at;
    char stop = hits->mode == HITS_FILES ? '\0' : '\n';
    while (at < end) {
        /* A path may hold newlines, but no NUL. */
        char *from = hits->mode == HITS_FILES ? at : memchr(at, '\0', (size_t)(end - at));
        char *found = from ? memchr(from, stop, (size_t)(end - from)) : NULL;
        if (!found)
            return;
        if (hits->mode == HITS_FILES)
            hits_add(hits, &(struct hit){.path = without_dot(at)});
        else
            take_line(hits, at, found);
        at = found + 1;
    }
}

static void fail_by(struct call *call, int errors)
{
    char text[2000];
    ssize_t size = pread(errors, text, sizeof(text) - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    call_fail(call, CODE_INVALID_ARGUMENTS, NULL, NULL, "ripgrep: %s", text);
}

static int run(struct call *call, struct arguments *arguments, int folder, struct hits *hits)
{
    pid_t child;
    int ends[2], status;
    cleanup_fd int errors = memfd_create("errors", MFD_CLOEXEC);
    if (errors < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return call_fail_errno(call, errno, "ripgrep", NULL);
    cleanup_fd int output = ends[0];
    cleanup_fd int theirs = ends[1];
    int number = start(&child, arguments, folder, theirs, errors);
    if (number == ENOENT)
        return 1;
    if (number)
        return call_fail_errno(call, number, "ripgrep", NULL);
    fd_close(&theirs);
    bool is_whole = read_output(call, output, hits);
    fd_close(&output);
    if (!is_whole || hits->is_incomplete)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    /* Files that it could not read make it end with 2 as well. */
    bool has_failed = WIFEXITED(status) && WEXITSTATUS(status) > 1 && hits->bytes.length == 0 &&
                      lseek(errors, 0, SEEK_END) > 0;
    if (has_failed)
        fail_by(call, errors);
    return is_whole && !has_failed ? 0 : -1;
}

int ripgrep_search(struct call *call, const struct grep_request *request, struct hits *hits)
{
    __attribute__((cleanup(free_arguments))) struct arguments arguments = {.count = 0};
    cleanup_fd int folder = workspace_need(call, request->start, O_RDONLY | O_DIRECTORY, "view");
    if (folder < 0)
        return -1;
    build(&arguments, request, hits->mode);
    int result = run(call, &arguments, folder, hits);
    if (result == 0)
        take_output(hits);
    return result;
}
