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

/* How long a client may keep a list. */
#define CACHE_MS 3600000

typedef void method_handler(const struct return_address *address, json_t *id, json_t *params);

/* Which clients a method is for. */
enum method_era {
    ERA_SESSIONS = 1,  /* it belongs to a session */
    ERA_STATELESS = 2, /* the request says who asks */
    ERA_FIRST = 4,     /* it may come before `initialize` */
};

struct method_row {
    const char *name;
    unsigned eras;
    method_handler *handle;
};

json_t *methods_server_info(const struct revision *revision)
{
    json_t *info = json_pack("{s:s, s:s}", "name", "scopefs-mcp", "version", PACKAGE_VERSION);
    if (revision->features & FEATURE_STRUCTURED)
        json_object_set_new(info, "title", json_string("scopefs"));
    return info;
}

/* One that says nothing more of it means forms; see the revisions of 2025. */
bool methods_can_fill_forms(json_t *capabilities)
{
    json_t *elicitation = json_object_get(capabilities, "elicitation");
    return json_is_object(elicitation) &&
           (json_object_size(elicitation) == 0 || json_object_get(elicitation, "form"));
}

static json_t *capabilities(void)
{
    return json_pack("{s:{s:b}, s:{}}", "tools", "listChanged", 0, "logging");
}

static void initialize(const struct return_address *address, json_t *id, json_t *params)
{
    struct session *session = address->session;
    const char *wanted = json_string_value(json_object_get(params, "protocolVersion"));
    if (!wanted) {
        answer_error(address, id, RPC_INVALID_PARAMS, NULL, "'protocolVersion' is missing");
        return;
    }
    const struct revision *revision = revision_negotiate(wanted);
    bool can_be_asked = (revision->features & FEATURE_ELICITATION) &&
                        methods_can_fill_forms(json_object_get(params, "capabilities"));
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
    answer_beginning(address, id,
                     json_pack("{s:s, s:o, s:o, s:s}", "protocolVersion", revision->name,
                               "capabilities", capabilities(), "serverInfo",
                               methods_server_info(revision), "instructions", INSTRUCTIONS));
}

/* What a list of the server's may be kept for: it is made of what does not change while it runs. */
static void add_caching(const struct return_address *address, json_t *result)
{
    if (!address_has(address, FEATURE_STATELESS))
        return;
    json_object_set_new(result, "ttlMs", json_integer(CACHE_MS));
    json_object_set_new(result, "cacheScope", json_string("public"));
}

static void discover(const struct return_address *address, json_t *id, json_t *params)
{
    (void)params;
    json_t *result = json_pack("{s:o, s:o, s:s}", "supportedVersions", revision_names(),
                               "capabilities", capabilities(), "instructions", INSTRUCTIONS);
    add_caching(address, result);
    answer_result(address, id, result);
}

static void ping(const struct return_address *address, json_t *id, json_t *params)
{
    (void)params;
    answer_result(address, id, json_object());
}

static void set_log_level(const struct return_address *address, json_t *id, json_t *params)
{
    struct session *session = address->session;
    int level = log_severity_find(json_object_get(params, "level"));
    if (level == SEVERITY_NOTHING) {
        answer_error(address, id, RPC_INVALID_PARAMS, NULL,
                     "'level' is none of the eight of syslog");
        return;
    }
    pthread_mutex_lock(&session->server->lock);
    session->log_level = level;
    pthread_mutex_unlock(&session->server->lock);
    answer_result(address, id, json_object());
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
    size_t page = address->session->server->settings.page_size, start;
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
                              tools_describe(at, address_has(address, FEATURE_ANNOTATIONS),
                                             address_has(address, FEATURE_STRUCTURED)));
    if (at < tools_count())
        json_object_set_new(result, "nextCursor", json_sprintf("t%zu", at));
    add_caching(address, result);
    answer_result(address, id, result);
}

static const struct method_row method_rows[] = {
    {"initialize", ERA_SESSIONS | ERA_FIRST, initialize},
    {"ping", ERA_SESSIONS | ERA_FIRST, ping},
    {"server/discover", ERA_STATELESS, discover},
    {"tools/list", ERA_SESSIONS | ERA_STATELESS, list_tools},
    {"tools/call", ERA_SESSIONS | ERA_STATELESS, call_begin},
    {"logging/setLevel", ERA_SESSIONS, set_log_level},
};

static const struct method_row *find(const char *method)
{
    for (size_t i = 0; i < sizeof(method_rows) / sizeof(method_rows[0]); i++)
        if (strcmp(method_rows[i].name, method) == 0)
            return &method_rows[i];
    return NULL;
}

bool methods_are_first(const char *method)
{
    const struct method_row *row = find(method);
    return row && (row->eras & ERA_FIRST);
}

void methods_request(const struct return_address *address, const char *method, json_t *id,
                     json_t *params)
{
    const struct method_row *row = find(method);
    unsigned era = address_has(address, FEATURE_STATELESS) ? ERA_STATELESS : ERA_SESSIONS;
    if (row && (row->eras & era))
        row->handle(address, id, params);
    else
        answer_error(address, id, RPC_METHOD_NOT_FOUND, NULL, "there is no method '%s'", method);
}

void methods_notification(struct session *session, const char *method, json_t *params)
{
    json_t *id = json_object_get(params, "requestId");
    if (strcmp(method, "notifications/cancelled") == 0 && id)
        call_cancel(session, id);
}
