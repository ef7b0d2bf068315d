/* execute, read_output and kill: commands, each in a sandbox of its own. */
#include "jobs.h"
#include "scopefs/mem.h"
#include "text.h"
#include "tools.h"
#include "workspace.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Bytes of a stream that one result shows: so many of its beginning, and of its end. */
#define HEAD_SHOWN 10000U
#define TAIL_SHOWN 20000U
/* Of what was printed, in a progress notification; and how often there is one. */
#define PROGRESS_SHOWN    2000U
#define PROGRESS_EVERY_MS 100
#define DEFAULT_TIMEOUT   "120"

const struct argument execute_arguments[] = {
    {"command", NULL, ARGUMENT_PATH, true, .help = "A line for sh"},
    {"timeout", NULL, ARGUMENT_NUMBER, .fallback = DEFAULT_TIMEOUT, .maximum = 1000000,
     .help = "Seconds, after which it is ended; 0: none, or that of the scope"},
    {"workdir", "cwd", ARGUMENT_PATH, .help = "The directory where it starts"},
    {"env", NULL, ARGUMENT_VARIABLES, .fallback = "{}", .help = "Variables of its environment"},
    {"stdin", NULL, ARGUMENT_TEXT, .help = "What it reads from its standard input"},
    {"session", NULL, ARGUMENT_PATH,
     .help =
         "A name: the line is run by a shell that stays, with its directory, variables and jobs, "
         "for the next call with that name"},
    {"background", "run_in_background", ARGUMENT_FLAG, .fallback = "false",
     .help = "Return at once; read_output and kill take the number of the job"},
    {0},
};

const struct argument read_output_arguments[] = {
    {"job", NULL, ARGUMENT_WHOLE, true, .minimum = 1, .maximum = 4294967295,
     .help = "The number of the job"},
    {"stdout_offset", NULL, ARGUMENT_WHOLE, .fallback = "0", .maximum = 4000000000000000,
     .help = "Bytes of its output to skip"},
    {"stderr_offset", NULL, ARGUMENT_WHOLE, .fallback = "0", .maximum = 4000000000000000,
     .help = "Bytes of its error output to skip"},
    {"limit", NULL, ARGUMENT_WHOLE, .fallback = "30000", .minimum = 1, .maximum = 262144,
     .help = "Bytes of each to show at most"},
    {"wait", NULL, ARGUMENT_NUMBER, .fallback = "0", .maximum = 600,
     .help = "Seconds to wait for more output or its end"},
    {0},
};

const struct argument kill_arguments[] = {
    {"job", NULL, ARGUMENT_WHOLE, true, .minimum = 1, .maximum = 4294967295,
     .help = "The number of the job"},
    {0},
};

/* --- What became of a job, as a copy that needs no lock --- */

struct part {
    struct strbuf text;
    unsigned long long start, end; /* of what is shown */
    unsigned long long total, left_out;
};

struct picture {
    struct part output, errors;
    json_t *report; /* NULL: it runs */
};

/* What to copy. */
struct viewpoint {
    struct picture *picture;
    unsigned long long output_offset, errors_offset;
    size_t limit; /* 0: the head and the tail */
};

static void free_picture(struct picture *picture)
{
    strbuf_free(&picture->output.text);
    strbuf_free(&picture->errors.text);
    json_decref(picture->report);
}

static unsigned long long stream_total(const struct job_stream *stream)
{
    return stream->dropped + stream->kept.length;
}

static void copy_ends(struct part *part, const struct job_stream *stream)
{
    const struct strbuf *kept = &stream->kept;
    unsigned long long head = stream->dropped ? 0 : HEAD_SHOWN;
    part->total = part->end = stream_total(stream);
    if (!stream->dropped && kept->length <= HEAD_SHOWN + TAIL_SHOWN) {
        text_mend(kept->bytes, kept->length, &part->text);
        return;
    }
    size_t tail = kept->length < TAIL_SHOWN ? kept->length : TAIL_SHOWN;
    part->left_out = part->total - head - tail;
    text_mend(kept->bytes, (size_t)head, &part->text);
    strbuf_add_format(&part->text,
                      "\n[truncated, %llu more bytes here; read_output from offset %llu]\n",
                      part->left_out, head ? head : stream->dropped);
    text_mend(kept->bytes + kept->length - tail, tail, &part->text);
}

static void copy_from(struct part *part, const struct job_stream *stream, unsigned long long offset,
                      size_t limit)
{
    part->total = stream_total(stream);
    part->start = offset < stream->dropped ? stream->dropped : offset;
    if (part->start > part->total)
        part->start = part->total;
    size_t at = (size_t)(part->start - stream->dropped);
    size_t size = stream->kept.length - at;
    if (size > limit)
        size = text_cut(stream->kept.bytes + at, limit);
    part->end = part->start + size;
    part->left_out = part->total - part->end;
    if (offset < part->start)
        strbuf_add_format(&part->text, "[%llu bytes are not kept any more]\n",
                          part->start - offset);
    text_mend(stream->kept.bytes ? stream->kept.bytes + at : "", size, &part->text);
}

static void copy_job(struct job *job, void *context)
{
    struct viewpoint *from = context;
    struct picture *picture = from->picture;
    if (from->limit) {
        copy_from(&picture->output, &job->output, from->output_offset, from->limit);
        copy_from(&picture->errors, &job->errors, from->errors_offset, from->limit);
    } else {
        copy_ends(&picture->output, &job->output);
        copy_ends(&picture->errors, &job->errors);
    }
    if (job->report)
        picture->report = json_loads(*job->report ? job->report : "{}", 0, NULL);
    job->is_detached = true;
}

/* --- Showing it --- */

static void add_part(struct call *call, const struct part *part, const char *title)
{
    struct strbuf *text = &call->text;
    if (part->text.length == 0)
        return;
    if (title)
        strbuf_add_format(text, "[%s]\n", title);
    strbuf_add(text, part->text.bytes, part->text.length);
    if (part->text.bytes[part->text.length - 1] != '\n')
        strbuf_add(text, "\n", 1);
}

static void add_members(json_t *object, const struct part *part, const char *name)
{
    cleanup_free char *size = xasprintf("%s_size", name);
    cleanup_free char *truncated = xasprintf("%s_truncated", name);
    cleanup_free char *next = xasprintf("%s_next_offset", name);
    json_object_set_new(object, name,
                        json_stringn(part->text.bytes ? part->text.bytes : "", part->text.length));
    json_object_set_new(object, size, json_integer((json_int_t)part->total));
    json_object_set_new(object, truncated, json_boolean(part->left_out > 0));
    json_object_set_new(object, next, json_integer((json_int_t)part->end));
}

static void fail_by_report(struct call *call, const json_t *report)
{
    const char *error = json_string_value(json_object_get(report, "error"));
    if (json_is_true(json_object_get(report, "refused")))
        call_fail(call, CODE_REFUSED, NULL, NULL, "%s", error ? error : "refused");
    else if (json_is_true(json_object_get(report, "timed_out")))
        call_fail(call, CODE_TIMED_OUT, NULL, NULL, "its time was over, and it was ended");
    else if (error)
        call_fail(call, CODE_FAILED, NULL, NULL, "%s", error);
    else if (!json_object_get(report, "exit_status"))
        call_fail(call, CODE_FAILED, NULL, NULL, "it ended, and nobody knows how");
}

static void add_end(struct call *call, json_t *report)
{
    static const char *const members[] = {"exit_status", "signal", "timed_out", "out_of_memory",
                                          "duration"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *value = json_object_get(report, members[i]);
        if (value)
            json_object_set(call->structured, members[i], value);
    }
    json_int_t status = json_integer_value(json_object_get(report, "exit_status"));
    if (json_is_true(json_object_get(report, "out_of_memory")))
        strbuf_add_text(&call->text, "[the memory that the scope allows was used up]\n");
    if (json_is_true(json_object_get(json_object_get(report, "session"), "ended")))
        strbuf_add_text(&call->text, "[the session has ended; the next call begins a new one]\n");
    if (status)
        strbuf_add_format(&call->text, "[exit status %lld]\n", (long long)status);
    fail_by_report(call, report);
}

static void present(struct call *call, uint32_t number, struct picture *picture)
{
    add_part(call, &picture->output, NULL);
    add_part(call, &picture->errors, "stderr");
    call->structured =
        json_pack("{s:I, s:b}", "job", (json_int_t)number, "running", picture->report == NULL);
    add_members(call->structured, &picture->output, "stdout");
    add_members(call->structured, &picture->errors, "stderr");
    bool is_truncated = picture->output.left_out || picture->errors.left_out;
    if (picture->report)
        add_end(call, picture->report);
    else
        strbuf_add_format(&call->text, "[job %u is running]\n", number);
    if (is_truncated)
        strbuf_add_format(&call->text, "[truncated; read_output of job %u has the rest]\n", number);
    if (call->text.length == 0)
        strbuf_add_text(&call->text, "[no output]\n");
}

/* --- Waiting --- */

struct watch {
    unsigned long long seen; /* bytes of both streams */
    unsigned long long output_seen, errors_seen;
    char fresh[PROGRESS_SHOWN];
    size_t fresh_size;
};

static void take_fresh(struct watch *watch, const struct job_stream *stream,
                       unsigned long long *seen)
{
    unsigned long long total = stream_total(stream);
    unsigned long long all = total - *seen;
    size_t room = sizeof(watch->fresh) - watch->fresh_size;
    size_t more = all < room ? (size_t)all : room;
    *seen = total;
    memcpy(watch->fresh + watch->fresh_size, stream->kept.bytes + stream->kept.length - more, more);
    watch->fresh_size += more;
}

/* There is something new to tell. */
static bool has_more(const struct job *job, void *context)
{
    struct watch *watch = context;
    unsigned long long total = stream_total(&job->output) + stream_total(&job->errors);
    if (total == watch->seen)
        return false;
    watch->seen = total;
    watch->fresh_size = 0;
    if (job->output.kept.bytes)
        take_fresh(watch, &job->output, &watch->output_seen);
    if (job->errors.kept.bytes)
        take_fresh(watch, &job->errors, &watch->errors_seen);
    return true;
}

static bool never(const struct job *job, void *context)
{
    (void)job;
    (void)context;
    return false;
}

static bool has_started(const struct job *job, void *context)
{
    (void)context;
    return job->has_started;
}

static void look_for_end(struct job *job, void *context)
{
    *(bool *)context = job->report != NULL;
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for the end. Tells what is printed on the way, as often as is good for anybody. */
static bool wait_with_progress(struct call *call, uint32_t number)
{
    struct watch watch = {0};
    long long told = 0;
    bool ended = false;
    if (!call->progress_token)
        return job_wait(call, number, never, NULL, -1);
    while (!ended) {
        if (!job_wait(call, number, has_more, &watch, -1))
            return false;
        if (watch.fresh_size && now_ms() - told >= PROGRESS_EVERY_MS) {
            cleanup_strbuf struct strbuf text = {0};
            text_mend(watch.fresh, watch.fresh_size, &text);
            call_progress(call, (double)watch.seen, -1, text.bytes);
            told = now_ms();
        }
        watch.fresh_size = 0;
        job_look(call, number, look_for_end, &ended);
    }
    return true;
}

/* --- The tools --- */

static const char **make_environment(json_t *variables)
{
    const char *name;
    json_t *value;
    size_t count = 0;
    const char **environment = xcalloc(json_object_size(variables) + 1, sizeof(*environment));
    json_object_foreach(variables, name, value) environment[count++] =
        xasprintf("%s=%s", name, json_string_value(value));
    return environment;
}

static void free_environment(const char **environment)
{
    for (const char **entry = environment; *entry; entry++)
        free((char *)(uintptr_t)*entry);
    free(environment);
}

/* As names of scopes are, and short. */
static bool is_shell_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t length = strlen(name);
    return length <= 32 && strspn(name, allowed) == length;
}

static uint32_t start(struct call *call, const char *workdir)
{
    char timeout[32];
    cleanup_free char *shell =
        call_has(call, "session") ? job_shell(call, call_text(call, "session")) : xstrdup("");
    const char **environment = make_environment(call_value(call, "env"));
    bool has_timeout = !call_flag(call, "background");
    double seconds = json_number_value(call_value(call, "timeout"));
    snprintf(timeout, sizeof(timeout), "%llums", (unsigned long long)(seconds * 1000));
    const struct job_request request = {
        .command = call_text(call, "command"),
        .workdir = workdir,
        .timeout = seconds > 0 && has_timeout ? timeout : "0",
        .shell = shell,
        .environment = environment,
        .input = call_text(call, "stdin"),
        .input_size = call_text_length(call, "stdin"),
    };
    uint32_t number = job_start(call, &request);
    free_environment(environment);
    return number;
}

static void show(struct call *call, uint32_t number, const struct viewpoint *from)
{
    __attribute__((cleanup(free_picture))) struct picture picture = {0};
    struct viewpoint viewpoint = *from;
    viewpoint.picture = &picture;
    if (job_look(call, number, copy_job, &viewpoint))
        present(call, number, &picture);
    else
        call_fail(call, CODE_NOT_FOUND, NULL, NULL, "there is no job %u", number);
}

void tool_execute(struct call *call)
{
    const struct viewpoint ends = {.limit = 0};
    cleanup_free char *path =
        workspace_path(call, call_has(call, "workdir") ? call_text(call, "workdir") : ".");
    if (!path)
        return;
    if (call_has(call, "session") && !is_shell_name(call_text(call, "session"))) {
        call_fail(call, CODE_INVALID_ARGUMENTS, NULL, NULL,
                  "the name of a session has at most 32 letters, digits, '-' and '_'");
        return;
    }
    cleanup_free char *workdir =
        call_has(call, "workdir") ? workspace_name(call, path) : xstrdup("");
    uint32_t number = start(call, workdir);
    address_log(&call->address, SEVERITY_INFO, "job %u: %s", number, call_text(call, "command"));
    bool is_whole = call_flag(call, "background") ? job_wait(call, number, has_started, NULL, -1)
                                                  : wait_with_progress(call, number);
    if (is_whole)
        show(call, number, &ends);
    else
        job_kill(call->address.session->server, number);
}

/* Something is there behind the offsets. */
static bool is_beyond(const struct job *job, void *context)
{
    const struct viewpoint *from = context;
    return stream_total(&job->output) > from->output_offset ||
           stream_total(&job->errors) > from->errors_offset;
}

void tool_read_output(struct call *call)
{
    const struct viewpoint from = {
        .output_offset = (unsigned long long)call_number(call, "stdout_offset"),
        .errors_offset = (unsigned long long)call_number(call, "stderr_offset"),
        .limit = (size_t)call_number(call, "limit"),
    };
    uint32_t number = (uint32_t)call_number(call, "job");
    double seconds = json_number_value(call_value(call, "wait"));
    if (seconds > 0)
        job_wait(call, number, is_beyond, (void *)(uintptr_t)&from, seconds);
    show(call, number, &from);
}

void tool_kill(struct call *call)
{
    uint32_t number = (uint32_t)call_number(call, "job");
    bool has_ended = false;
    if (!job_look(call, number, look_for_end, &has_ended)) {
        call_fail(call, CODE_NOT_FOUND, NULL, NULL, "there is no job %u", number);
        return;
    }
    if (!has_ended) {
        job_kill(call->address.session->server, number);
        job_wait(call, number, never, NULL, -1);
    }
    strbuf_add_format(&call->text, "Job %u %s\n", number,
                      has_ended ? "had ended before" : "was ended");
    call->structured = json_pack("{s:I, s:b}", "job", (json_int_t)number, "killed", !has_ended);
}
