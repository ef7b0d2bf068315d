#include "call.h"

#include "arguments.h"
#include "scopefs/mem.h"
#include "text.h"
#include "tools.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- Life --- */

static void free_call(struct call *call)
{
    json_decref(call->id);
    json_decref(call->arguments);
    json_decref(call->answers);
    json_decref(call->questions);
    json_decref(call->progress_token);
    json_decref(call->structured);
    json_decref(call->more);
    json_decref(call->failure);
    strbuf_free(&call->text);
    strbuf_free(&call->list);
    free(call);
}

static json_t *params_member(json_t *params, const char *name)
{
    return json_is_object(params) ? json_object_get(params, name) : NULL;
}

/* False when one with that id runs already. */
static bool enter(struct call *call)
{
    struct session *session = call->address.session;
    struct server *server = session->server;
    bool is_new = true;
    pthread_mutex_lock(&server->lock);
    /* Where there is no session, whoever asks numbers for themselves. */
    bool has_session = !call_has_feature(call, FEATURE_STATELESS);
    for (const struct call *other = session->calls; has_session && other; other = other->next)
        is_new = is_new && !json_equal(other->id, call->id);
    if (is_new) {
        call->next = session->calls;
        session->calls = call;
        session->users++;
        server->running++;
    }
    pthread_mutex_unlock(&server->lock);
    return is_new;
}

/* Takes the call off the list before it is answered: from then on its id may be used again, and it
 * cannot be cancelled any more. Whether it was. */
static bool retire(struct call *call)
{
    struct session *session = call->address.session;
    pthread_mutex_lock(&session->server->lock);
    struct call **place = &session->calls;
    while (*place != call)
        place = &(*place)->next;
    *place = call->next;
    bool was_cancelled = call->is_cancelled;
    pthread_mutex_unlock(&session->server->lock);
    return was_cancelled;
}

static void leave(struct session *session)
{
    struct server *server = session->server;
    pthread_mutex_lock(&server->lock);
    session->users--;
    server->running--;
    session_drop(session);
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

/* What is wrong with arguments is told to the model, which can mend it, not to the client. */
static void check_arguments(struct call *call, json_t *given, json_t *preset)
{
    cleanup_strbuf struct strbuf complaint = {0};
    json_t *checked = arguments_check(call->tool->arguments, given, preset, &complaint);
    call->arguments = json_deep_copy(checked);
    json_decref(checked);
    if (!call->arguments)
        call_fail(call, CODE_INVALID_ARGUMENTS, NULL, NULL, "%s", complaint.bytes);
}

void call_begin(const struct return_address *address, json_t *id, json_t *params)
{
    json_t *name = params_member(params, "name");
    json_t *given = params_member(params, "arguments");
    json_t *token = params_member(params_member(params, "_meta"), "progressToken");
    json_t *preset = NULL;
    if (!json_is_string(name) || (given && !json_is_object(given))) {
        answer_error(address, id, RPC_INVALID_PARAMS, NULL,
                     "params of tools/call: 'name' is a string, 'arguments' an object");
        return;
    }
    const struct tool *tool = tools_find(json_string_value(name), &preset);
    if (!tool) {
        answer_error(address, id, RPC_INVALID_PARAMS, NULL, "Unknown tool: %s",
                     json_string_value(name));
        return;
    }
    struct call *call = xcalloc(1, sizeof(*call));
    call->address = *address;
    call->tool = tool;
    /* Copies: what two threads share depends on how the JSON library was built. */
    call->id = json_deep_copy(id);
    call->progress_token =
        json_is_string(token) || json_is_number(token) ? json_deep_copy(token) : NULL;
    call->answers = json_deep_copy(params_member(params, "inputResponses"));
    check_arguments(call, given, preset);
    json_decref(preset);
    if (enter(call)) {
        pool_add(address->session->server->pool, call);
    } else {
        answer_error(address, id, RPC_INVALID_REQUEST, NULL, "a request with this id runs already");
        free_call(call);
    }
}

static json_t *text_content(const char *text)
{
    return json_pack("{s:s, s:s}", "type", "text", "text", text ? text : "");
}

static json_t *failure_result(const struct call *call)
{
    const char *code = json_string_value(json_object_get(call->failure, "code"));
    const char *message = json_string_value(json_object_get(call->failure, "message"));
    cleanup_free char *text = xasprintf("%s: %s", code, message);
    json_t *result = json_pack("{s:[o], s:b, s:{s:O}}", "content", text_content(text), "isError", 1,
                               "_meta", "scopefs/error", call->failure);
    if (call->text.length)
        json_array_append_new(json_object_get(result, "content"), text_content(call->text.bytes));
    return result;
}

static json_t *success_result(const struct call *call)
{
    json_t *result = json_pack("{s:[], s:b}", "content", "isError", 0);
    json_t *content = json_object_get(result, "content");
    if (call->text.length || !call->more)
        json_array_append_new(content, text_content(call->text.bytes));
    if (call->more)
        json_array_extend(content, call->more);
    result_finish(&call->address, result);
    /* The last member; see answer_with_list. */
    if (call->structured && call_has_feature(call, FEATURE_STRUCTURED))
        json_object_set(result, "structuredContent", call->structured);
    return result;
}

static json_t *questions_result(const struct call *call)
{
    return json_pack("{s:s, s:O}", "resultType", "input_required", "inputRequests",
                     call->questions);
}

/* A list of thousands as objects of the JSON library costs more than all that is to be told: its
 * text is put in where the structured result, the last member of the last member, ends. */
static void answer_with_list(struct call *call, json_t *result)
{
    cleanup_free char *text = message_text(answer_message(call->id, result));
    size_t end = strlen(text) - strlen("}}}");
    cleanup_strbuf struct strbuf whole = {0};
    strbuf_add(&whole, text, end);
    strbuf_add_text(&whole, ",");
    strbuf_add(&whole, call->list.bytes, call->list.length);
    strbuf_add_text(&whole, text + end);
    answer_send_text(&call->address, whole.bytes);
}

static void answer(struct call *call, json_t *result)
{
    bool has_list = call->list.length && json_object_get(result, "structuredContent");
    if (has_list && call->address.batch) {
        cleanup_free char *text = xasprintf("{%s}", call->list.bytes);
        json_t *members = json_loads(text, 0, NULL);
        json_object_update(json_object_get(result, "structuredContent"), members);
        json_decref(members);
        has_list = false;
    }
    if (has_list)
        answer_with_list(call, result);
    else
        answer_result(&call->address, call->id, result);
}

void call_run(void *context)
{
    struct call *call = context;
    if (!call->failure && !call_is_cancelled(call))
        call->tool->handle(call);
    /* To a request that was cancelled there is no answer. */
    struct session *session = call->address.session;
    json_t *result = call->questions ? questions_result(call)
                     : call->failure ? failure_result(call)
                                     : success_result(call);
    if (retire(call)) {
        json_decref(result);
        answer_send(&call->address, NULL);
    } else {
        answer(call, result);
    }
    free_call(call);
    leave(session);
}

void call_cancel(struct session *session, json_t *id)
{
    pthread_mutex_lock(&session->server->lock);
    for (struct call *call = session->calls; call; call = call->next)
        if (!id || json_equal(call->id, id))
            call->is_cancelled = true;
    pthread_cond_broadcast(&session->server->changed);
    pthread_mutex_unlock(&session->server->lock);
}

void call_cancel_exchange(struct session *session, uint64_t exchange)
{
    pthread_mutex_lock(&session->server->lock);
    for (struct call *call = session->calls; call; call = call->next)
        if (call->address.exchange == exchange)
            call->is_cancelled = true;
    pthread_cond_broadcast(&session->server->changed);
    pthread_mutex_unlock(&session->server->lock);
}

bool call_has_feature(const struct call *call, enum feature feature)
{
    return address_has(&call->address, feature);
}

bool call_is_cancelled(struct call *call)
{
    struct server *server = call->address.session->server;
    pthread_mutex_lock(&server->lock);
    bool is_cancelled = call->is_cancelled;
    pthread_mutex_unlock(&server->lock);
    return is_cancelled;
}

void call_progress(struct call *call, double done, double total, const char *message)
{
    if (!call->progress_token)
        return;
    json_t *params =
        json_pack("{s:O, s:f}", "progressToken", call->progress_token, "progress", done);
    if (total >= 0)
        json_object_set_new(params, "total", json_real(total));
    if (message && call_has_feature(call, FEATURE_ANNOTATIONS))
        json_object_set_new(params, "message", json_name(message, strlen(message)));
    session_send(call->address.session, call->address.exchange,
                 json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", "notifications/progress",
                           "params", params));
}

/* --- Arguments --- */

json_t *call_value(const struct call *call, const char *name)
{
    return json_object_get(call->arguments, name);
}

bool call_has(const struct call *call, const char *name)
{
    return call_value(call, name) != NULL;
}

const char *call_text(const struct call *call, const char *name)
{
    return json_string_value(call_value(call, name));
}

size_t call_text_length(const struct call *call, const char *name)
{
    return json_string_length(call_value(call, name));
}

long long call_number(const struct call *call, const char *name)
{
    return json_integer_value(call_value(call, name));
}

bool call_flag(const struct call *call, const char *name)
{
    return json_is_true(call_value(call, name));
}

/* --- Failures --- */

void call_fail(struct call *call, const char *code, const char *path, const char *level,
               const char *format, ...)
{
    cleanup_free char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0)
        abort();
    va_end(arguments);
    json_decref(call->failure);
    call->failure =
        json_pack("{s:s, s:o}", "code", code, "message", json_name(message, strlen(message)));
    if (path)
        json_object_set_new(call->failure, "path", json_name(path, strlen(path)));
    if (level)
        json_object_set_new(call->failure, "missing", json_string(level));
}

struct errno_row {
    int number;
    const char *code;
    const char *text;
};

/* What is not here is CODE_FAILED with the system's own words. */
static const struct errno_row errno_rows[] = {
    {ENOENT, CODE_NOT_FOUND, "there is no such file or directory"},
    {EEXIST, CODE_EXISTS, "it exists already"},
    {ENOTDIR, CODE_NOT_A_DIRECTORY, "it is not a directory, or lies below a file"},
    {EISDIR, CODE_IS_A_DIRECTORY, "it is a directory"},
    {ENOTEMPTY, CODE_NOT_EMPTY, "the directory is not empty; something in it may be hidden"},
    {EFBIG, CODE_TOO_LARGE, "the file would be larger than is allowed"},
    {ENOSPC, CODE_NO_SPACE, "there is no space left"},
    {EDQUOT, CODE_NO_SPACE, "the quota is used up"},
    {ELOOP, CODE_FAILED, "too many symbolic links"},
    {ENAMETOOLONG, CODE_INVALID_ARGUMENTS, "the name is too long"},
};

int call_fail_errno(struct call *call, int number, const char *path, const char *level)
{
    if (number == EACCES || number == EPERM || number == EROFS) {
        call_fail(call, CODE_NOT_PERMITTED, path, level, "%s: this needs the level %s", path,
                  level);
        return -1;
    }
    for (size_t i = 0; i < sizeof(errno_rows) / sizeof(errno_rows[0]); i++) {
        const struct errno_row *row = &errno_rows[i];
        if (row->number != number)
            continue;
        call_fail(call, row->code, path, NULL, "%s: %s", path, row->text);
        return -1;
    }
    call_fail(call, CODE_FAILED, path, NULL, "%s: %s", path, strerror(number));
    return -1;
}

void json_add_name(struct strbuf *text, const char *bytes, size_t size)
{
    if (text_is_utf8(bytes, size)) {
        strbuf_add_json(text, bytes, size);
        return;
    }
    cleanup_strbuf struct strbuf quoted = {0};
    strbuf_add_quoted(&quoted, bytes, size);
    strbuf_add_json(text, quoted.bytes, quoted.length);
}

json_t *json_name(const char *bytes, size_t size)
{
    json_t *plain = json_stringn(bytes, size);
    if (plain)
        return plain;
    cleanup_strbuf struct strbuf quoted = {0};
    strbuf_add_quoted(&quoted, bytes, size);
    return json_stringn(quoted.bytes, quoted.length);
}
