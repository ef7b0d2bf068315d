#include "bring_up.h"

#include "launch.h"
#include "roster.h"
#include "take_down.h"
#include "view_life.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Mounting waits for processes to start more than it computes. */
enum { JOBS_AT_MOST = 8, MESSAGE_LIMIT = 64 * 1024 };

enum progress { JOB_WAITING, JOB_RUNNING, JOB_MOUNTED, JOB_WAS_MOUNTED, JOB_FAILED };

struct job {
    const struct scope *scope;
    char *place;
    enum progress progress;
    pid_t child;
    int messages_fd; /* what the child writes to standard error */
};

struct work {
    const struct bring_up *wanted;
    struct job *jobs;
    size_t running, failed;
};

static void tell_failure(struct work *work, struct job *job, const char *message)
{
    job->progress = JOB_FAILED;
    work->failed++;
    fprintf(stderr, "%s: %s: %s\n", work->wanted->command, job->scope->name, message);
}

/* Scopes of one template may have one mount point, and symlinks may lead to one place. */
static void compare_places(struct work *work, size_t number)
{
    struct job *job = &work->jobs[number];
    for (size_t i = 0; i < number && job->progress == JOB_WAITING; i++) {
        if (strcmp(work->jobs[i].place, job->place) != 0)
            continue;
        cleanup_free char *text = xasprintf("%s is the mount point of scope %s, too; give each its "
                                            "own",
                                            job->place, work->jobs[i].scope->name);
        tell_failure(work, job, text);
    }
}

/* Whether something already is where the scope belongs: its own view, or another one, which fails.
 */
static void look_at_place(struct work *work, struct job *job, const struct roster *roster)
{
    const struct roster_view *view = roster_at(roster, job->place);
    if (!view || view_life(view) != VIEW_LIVES)
        return;
    if (roster_view_is_of(view, job->scope, work->wanted->config_file)) {
        job->progress = JOB_WAS_MOUNTED;
        return;
    }
    cleanup_strbuf struct strbuf text = {0};
    strbuf_add_format(&text, "%s already is a view, of scope %s", job->place, view->row->source);
    if (view->has_record)
        strbuf_add_format(&text, " (process %ld, from %s)", (long)view->record.supervisor,
                          view->record.config[0] ? view->record.config : "a command line");
    strbuf_add_format(&text, "; 'scopefs umount %s' takes it away", job->place);
    tell_failure(work, job, text.bytes);
}

/* Whether the job has to wait for the other one: its scope's parent, or a view that its mount point
 * lies in. */
static bool comes_after(const struct job *job, const struct job *other)
{
    size_t length = strlen(other->place);
    const struct scope *parent = job->scope->parent;
    return (parent && strcmp(parent->name, other->scope->name) == 0) ||
           (strncmp(job->place, other->place, length) == 0 && job->place[length] == '/');
}

/* False while one before it is not mounted; fails the job when that never will be. */
static bool may_start(struct work *work, struct job *job)
{
    for (size_t i = 0; i < work->wanted->count; i++) {
        const struct job *other = &work->jobs[i];
        if (other == job || !comes_after(job, other))
            continue;
        if (other->progress == JOB_FAILED) {
            cleanup_free char *text =
                xasprintf("not mounted, because %s is not", other->scope->name);
            tell_failure(work, job, text);
        }
        if (other->progress != JOB_MOUNTED && other->progress != JOB_WAS_MOUNTED)
            return false;
    }
    return true;
}

static _Noreturn void mount_one(const struct work *work, const struct job *job)
{
    cleanup_error struct error *error = NULL;
    struct launch launch = {.scope = job->scope,
                            .config_file = work->wanted->config_file,
                            .config_digest = work->wanted->config_digest};
    dup2(job->messages_fd, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0u, 0);
    int result = launch_view(&launch, &error);
    if (result < 0)
        fprintf(stderr, "%s\n", error->message);
    _exit(result < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void start(struct work *work, struct job *job)
{
    fflush(NULL);
    job->messages_fd = memfd_create("messages", MFD_CLOEXEC);
    job->child = job->messages_fd < 0 ? -1 : fork();
    if (job->child == 0)
        mount_one(work, job);
    if (job->child < 0) {
        tell_failure(work, job, strerror(errno));
        fd_close(&job->messages_fd);
        return;
    }
    job->progress = JOB_RUNNING;
    work->running++;
}

static void finish(struct work *work, struct job *job, int status)
{
    cleanup_free char *message = NULL;
    size_t size = 0;
    work->running--;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        job->progress = JOB_MOUNTED;
    } else if (lseek(job->messages_fd, 0, SEEK_SET) < 0 ||
               fd_read_file(job->messages_fd, MESSAGE_LIMIT, &message, &size) < 0 || size == 0) {
        tell_failure(work, job, "the process that mounts it was killed");
    } else {
        while (size > 0 && message[size - 1] == '\n')
            message[--size] = '\0';
        tell_failure(work, job, message);
    }
    fd_close(&job->messages_fd);
}

static void await_one(struct work *work)
{
    int status;
    pid_t child = waitpid(-1, &status, 0);
    for (size_t i = 0; child > 0 && i < work->wanted->count; i++)
        if (work->jobs[i].progress == JOB_RUNNING && work->jobs[i].child == child)
            finish(work, &work->jobs[i], status);
}

/* A job may fail because of one behind it in the list, so it goes round until nothing changes. */
static void run_jobs(struct work *work)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < work->wanted->count; i++) {
            struct job *job = &work->jobs[i];
            if (!work->wanted->keep_going && work->failed)
                break;
            if (job->progress != JOB_WAITING)
                continue;
            if (work->running == JOBS_AT_MOST)
                await_one(work);
            if (may_start(work, job))
                start(work, job);
            changed = changed || job->progress != JOB_WAITING;
        }
        if (work->running > 0) {
            await_one(work);
            changed = true;
        }
    }
}

/* Takes down again what was mounted by this call. */
static void take_back(struct work *work)
{
    const struct bring_up *wanted = work->wanted;
    const struct scope **mounted = xcalloc(wanted->count + 1, sizeof(const struct scope *));
    size_t count = 0;
    for (size_t i = 0; i < wanted->count; i++)
        if (work->jobs[i].progress == JOB_MOUNTED)
            mounted[count++] = work->jobs[i].scope;
    struct take_down undo = {.scopes = mounted,
                             .count = count,
                             .config_file = wanted->config_file,
                             .command = wanted->command,
                             .quiet = true};
    if (count > 0)
        take_down(&undo, NULL);
    fprintf(stderr, "%s: nothing was brought up%s; --keep-going keeps what can be mounted\n",
            wanted->command, count ? ", and what was mounted is unmounted again" : "");
    free(mounted);
}

static void tell_success(const struct work *work)
{
    for (size_t i = 0; i < work->wanted->count; i++) {
        const struct job *job = &work->jobs[i];
        if (job->progress == JOB_MOUNTED)
            printf("%s: mounted on %s\n", job->scope->name, job->place);
        else if (job->progress == JOB_WAS_MOUNTED)
            printf("%s: already mounted on %s\n", job->scope->name, job->place);
    }
}

int bring_up(const struct bring_up *wanted, struct error **error)
{
    cleanup_roster struct roster roster = {0};
    if (roster_read(&roster, error) < 0)
        return -1;
    struct work work = {.wanted = wanted, .jobs = xcalloc(wanted->count + 1, sizeof(struct job))};
    for (size_t i = 0; i < wanted->count; i++) {
        struct job *job = &work.jobs[i];
        *job = (struct job){.scope = wanted->scopes[i],
                            .place = launch_clean_place(wanted->scopes[i]),
                            .messages_fd = -1};
        look_at_place(&work, job, &roster);
        compare_places(&work, i);
    }
    run_jobs(&work);
    if (work.failed && !wanted->keep_going)
        take_back(&work);
    else
        tell_success(&work);
    for (size_t i = 0; i < wanted->count; i++)
        free(work.jobs[i].place);
    free(work.jobs);
    return (int)work.failed;
}
