#include "jobs.h"

#include "questions.h"
#include "scopefs/mem.h"

#include <time.h>

/* How many that have ended are kept for one session. */
#define ENDED_JOBS 32

static void tell(struct server *server, uint16_t type, uint16_t flags, uint32_t number,
                 const struct strbuf *bytes)
{
    const struct frame frame = {
        .length = bytes ? (uint32_t)bytes->length : 0, .type = type, .flags = flags, .job = number};
    server->settings.sink(server->settings.context, &frame, bytes ? bytes->bytes : NULL);
}

static void free_job(struct job *job)
{
    strbuf_free(&job->output.kept);
    strbuf_free(&job->errors.kept);
    free(job->question);
    free(job->report);
    free(job);
}

/* --- The list; under the server's lock --- */

static struct job *find(struct server *server, uint32_t number)
{
    struct job *job = server->jobs;
    while (job && job->number != number)
        job = job->next;
    return job;
}

static struct job *find_own(struct call *call, uint32_t number)
{
    struct job *job = find(call->address.session->server, number);
    return job && job->session == call->address.session ? job : NULL;
}

/* What has ended and belongs to nobody, or to somebody who has many newer ones. */
static void forget(struct server *server, const struct session *session)
{
    size_t count = 0;
    for (struct job **place = &server->jobs; *place;) {
        struct job *job = *place;
        bool is_old = job->report && (!job->session || (job->session == session &&
                                                        job->is_detached && ++count > ENDED_JOBS));
        if (!is_old) {
            place = &job->next;
            continue;
        }
        *place = job->next;
        free_job(job);
    }
}

static void add_output(struct job_stream *stream, const char *bytes, size_t size)
{
    strbuf_add(&stream->kept, bytes, size);
    if (stream->kept.length < 2 * JOB_STREAM_LIMIT)
        return;
    size_t surplus = stream->kept.length - JOB_STREAM_LIMIT;
    memmove(stream->kept.bytes, stream->kept.bytes + surplus, JOB_STREAM_LIMIT);
    stream->kept.length = JOB_STREAM_LIMIT;
    stream->dropped += surplus;
}

static void take(struct server *server, struct job *job, const struct frame *frame,
                 const char *bytes)
{
    if (frame->type == FRAME_JOB_OUTPUT) {
        add_output(frame->flags & FRAME_ERRORS ? &job->errors : &job->output, bytes, frame->length);
    } else if (frame->type == FRAME_JOB_STARTED) {
        job->has_started = true;
    } else if (frame->type == FRAME_JOB_ASK) {
        job->question = xmemdup0(bytes, frame->length);
    } else if (!job->report) {
        job->report = xmemdup0(bytes, frame->length);
        forget(server, job->session);
    }
}

void jobs_take(struct server *server, const struct frame *frame, const char *bytes)
{
    pthread_mutex_lock(&server->lock);
    struct job *job = find(server, frame->job);
    bool is_orphan = job && !job->session;
    if (job)
        take(server, job, frame, bytes);
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    if (is_orphan && frame->type == FRAME_JOB_ASK)
        tell(server, FRAME_JOB_ANSWER, 0, frame->job, NULL);
}

/* --- One job --- */

uint32_t job_start(struct call *call, const struct job_request *request)
{
    struct server *server = call->address.session->server;
    cleanup_strbuf struct strbuf bytes = {0};
    struct job *job = xcalloc(1, sizeof(*job));
    job_request_pack(request, &bytes);
    pthread_mutex_lock(&server->lock);
    uint32_t number = ++server->last_job;
    job->number = number;
    job->session = call->address.session->is_closed ? NULL : call->address.session;
    job->next = server->jobs;
    server->jobs = job;
    pthread_mutex_unlock(&server->lock);
    tell(server, FRAME_JOB_START, 0, number, &bytes);
    return number;
}

/* The question of a rule, put to the client's user. */
static void ask(struct call *call, uint32_t number, const char *command)
{
    struct server *server = call->address.session->server;
    cleanup_free char *text =
        xasprintf("A rule of the scope asks whether this command may be run:\n\n%s", command);
    bool yes = question_ask(call, text) == ANSWER_YES;
    tell(server, FRAME_JOB_ANSWER, yes ? FRAME_YES : 0, number, NULL);
}

struct wait {
    job_condition *condition;
    void *context;
    struct timespec end; /* on the monotonic clock; 0: none */
    bool is_done;
};

/* Under the lock. False when the time is over. */
static bool wait_for_change(struct server *server, const struct wait *wait)
{
    if (wait->end.tv_sec)
        return pthread_cond_timedwait(&server->changed, &server->lock, &wait->end) == 0;
    return pthread_cond_wait(&server->changed, &server->lock) == 0;
}

/* Waits for the next thing to do. The question, new, or NULL. Under the lock. */
static char *wait_for_next(struct call *call, uint32_t number, struct wait *wait)
{
    struct server *server = call->address.session->server;
    struct job *job;
    while ((job = find_own(call, number)) && !call->is_cancelled) {
        if (job->question)
            return steal_pointer(job->question);
        wait->is_done = job->report || wait->condition(job, wait->context);
        if (wait->is_done)
            return NULL;
        if (!wait_for_change(server, wait)) {
            wait->is_done = true;
            return NULL;
        }
    }
    return NULL;
}

static struct timespec moment_in(double seconds)
{
    struct timespec moment = {0};
    if (seconds < 0)
        return moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    moment.tv_sec += (time_t)seconds;
    moment.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    moment.tv_sec += moment.tv_nsec / 1000000000;
    moment.tv_nsec %= 1000000000;
    return moment;
}

bool job_wait(struct call *call, uint32_t number, job_condition *condition, void *context,
              double seconds)
{
    struct server *server = call->address.session->server;
    struct wait wait = {condition, context, moment_in(seconds), false};
    char *question;
    do {
        pthread_mutex_lock(&server->lock);
        question = wait_for_next(call, number, &wait);
        pthread_mutex_unlock(&server->lock);
        if (question)
            ask(call, number, question);
        free(question);
    } while (question);
    return wait.is_done;
}

bool job_look(struct call *call, uint32_t number, void (*look)(struct job *job, void *context),
              void *context)
{
    struct server *server = call->address.session->server;
    pthread_mutex_lock(&server->lock);
    struct job *job = find_own(call, number);
    if (job)
        look(job, context);
    pthread_mutex_unlock(&server->lock);
    return job != NULL;
}

void job_kill(struct server *server, uint32_t number)
{
    tell(server, FRAME_JOB_KILL, 0, number, NULL);
}

char *job_shell(struct call *call, const char *name)
{
    struct session *session = call->address.session;
    char *shell = xasprintf("%u-%s", session->number, name);
    size_t index;
    json_t *known;
    bool is_new = true;
    pthread_mutex_lock(&session->server->lock);
    if (!session->shells)
        session->shells = json_array();
    json_array_foreach(session->shells, index, known) is_new =
        is_new && strcmp(json_string_value(known), shell) != 0;
    if (is_new)
        json_array_append_new(session->shells, json_string(shell));
    pthread_mutex_unlock(&session->server->lock);
    return shell;
}

static void close_shells(struct session *session)
{
    struct server *server = session->server;
    size_t index;
    json_t *shell;
    pthread_mutex_lock(&server->lock);
    json_t *shells = steal_pointer(session->shells);
    pthread_mutex_unlock(&server->lock);
    json_array_foreach(shells, index, shell)
    {
        const struct frame frame = {
            .type = FRAME_SHELL_CLOSE,
            .length = (uint32_t)json_string_length(shell),
        };
        server->settings.sink(server->settings.context, &frame, json_string_value(shell));
    }
    json_decref(shells);
}

void jobs_end_session(struct session *session)
{
    struct server *server = session->server;
    uint32_t number;
    close_shells(session);
    do {
        number = 0;
        pthread_mutex_lock(&server->lock);
        for (struct job *job = server->jobs; job && !number; job = job->next)
            if (job->session == session) {
                job->session = NULL;
                number = job->report ? 0 : job->number;
            }
        forget(server, NULL);
        pthread_mutex_unlock(&server->lock);
        if (number)
            job_kill(server, number);
    } while (number);
}

void jobs_free(struct server *server)
{
    while (server->jobs) {
        struct job *next = server->jobs->next;
        free_job(server->jobs);
        server->jobs = next;
    }
}
