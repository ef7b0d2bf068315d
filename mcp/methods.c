/* What each method of the protocol does. */
#include "config.h"

#include "call.h"
#include "session.h"
#include "tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSTRUCTIONS                                                                               \
    "Tools for the files of one workspace, and for commands in it. Paths are relative to the "     \
    "workspace, or absolute. Each path has a level: none (it does not exist for you), view "       \
    "(it is listed, and cannot be read), read, or write; the tool 'permissions' tells it. "        \
    "What is not permitted cannot be had in another way: ask the user for it."

typedef void method_handler(const struct return_address *address, json_t *id, json_t *params);

struct method_row {
    const char *name;
    method_handler *handle;
};

static json_t *server_info(const struct revision *revision)
{
    json_t *info = json_pack("{s:s, s:s}", "name", "scopefs-mcp", "version", PACKAGE_VERSION);
    if (revision->features & FEATURE_STRUCTURED)
        json_object_set_new(info, "title", json_string("scopefs"));
    return info;
}

/* A client that says nothing more of it means forms; see the revisions of 2025. */
static bool can_fill_forms(json_t *capabilities)
{
    json_t *elicitation = json_object_get(capabilities, "elicitation");
    return json_is_object(elicitation) &&
           (json_object_size(elicitation) == 0 || json_object_get(elicitation, "form"));
}

static void initialize(const struct return_address *address, json_t *id, json_t *params)
{
    struct session *session = address->session;
    const char *wanted = json_string_value(json_object_get(params, "protocolVersion"));
    if (!wanted) {
        answer_error(address, id, RPC_INVALID_PARAMS, NULL, "'protocolVersion' is missing");
        return;
    }
    const struct revision *revision = revision_find(wanted);
    bool can_be_asked = (revision->features & FEATURE_ELICITATION) &&
                        can_fill_forms(json_object_get(params, "capabilities"));
    pthread_mutex_lock(&session->server->lock);
    bool is_first = !session->revision;
    if (is_first) {
        session->revision = revision;
        session->can_be_asked = can_be_asked;
    }
    pthread_mutex_unlock(&session->server->lock);
    if (!is_first) {
        answer_error(address, id, RPC_INVALID_REQUEST, NULL, "the session is initialized already");
        return;
    }
    answer_result(address, id,
                  json_pack("{s:s, s:{s:{s:b}, s:{}}, s:o, s:s}", "protocolVersion", revision->name,
                            "capabilities", "tools", "listChanged", 0, "logging", "serverInfo",
                            server_info(revision), "instructions", INSTRUCTIONS));
}

static void ping(const struct return_address *address, json_t *id, json_t *params)
{
    (void)params;
    answer_result(address, id, json_object());
}

static void set_log_level(const struct return_address *address, json_t *id, json_t *params)
{
    struct session *session = address->session;
    const char *name = json_string_value(json_object_get(params, "level"));
    for (int level = 0; name && log_severity_names[level]; level++) {
        if (strcmp(log_severity_names[level], name) != 0)
            continue;
        pthread_mutex_lock(&session->server->lock);
        session->log_level = level;
        pthread_mutex_unlock(&session->server->lock);
        answer_result(address, id, json_object());
        return;
    }
    answer_error(address, id, RPC_INVALID_PARAMS, NULL, "'level' is none of the eight of syslog");
}

/* A cursor is where the page begins, and a letter that keeps people from making them up. */
static bool parse_cursor(json_t *params, size_t *start)
{
    json_t *cursor = json_object_get(params, "cursor");
    const char *text = json_string_value(cursor);
    char *end;
    *start = 0;
    if (!cursor)
        return true;
    if (!text || text[0] != 't' || text[1] < '1' || text[1] > '9')
        return false;
    *start = strtoul(text + 1, &end, 10);
    return *end == '\0' && *start < tools_count();
}

static void list_tools(const struct return_address *address, json_t *id, json_t *params)
{
    const struct session *session = address->session;
    size_t page = session->server->settings.page_size, start;
    if (!page)
        page = TOOLS_PAGE_SIZE;
    if (!parse_cursor(params, &start)) {
        answer_error(address, id, RPC_INVALID_PARAMS, NULL, "the cursor is not one of this server");
        return;
    }
    json_t *result = json_pack("{s:[]}", "tools");
    size_t at = start;
    for (; at < tools_count() && at < start + page; at++)
        json_array_append_new(json_object_get(result, "tools"),
                              tools_describe(at, session_has(session, FEATURE_ANNOTATIONS),
                                             session_has(session, FEATURE_STRUCTURED)));
    if (at < tools_count())
        json_object_set_new(result, "nextCursor", json_sprintf("t%zu", at));
    answer_result(address, id, result);
}

static const struct method_row method_rows[] = {
    {"initialize", initialize},          {"ping", ping},
    {"tools/list", list_tools},          {"tools/call", call_begin},
    {"logging/setLevel", set_log_level},
};

void methods_request(const struct return_address *address, const char *method, json_t *id,
                     json_t *params)
{
    for (size_t i = 0; i < sizeof(method_rows) / sizeof(method_rows[0]); i++) {
        if (strcmp(method_rows[i].name, method) != 0)
            continue;
        method_rows[i].handle(address, id, params);
        return;
    }
    answer_error(address, id, RPC_METHOD_NOT_FOUND, NULL, "there is no method '%s'", method);
}

void methods_notification(struct session *session, const char *method, json_t *params)
{
    json_t *id = json_object_get(params, "requestId");
    if (strcmp(method, "notifications/cancelled") == 0 && id)
        call_cancel(session, id);
}
