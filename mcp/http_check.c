/* Whether a request may be what it wants to be. What belongs to an agent is not looked at before it
 * is known that it is that agent's. */
#include "http_state.h"

#include "scopefs/mem.h"

#include <stdio.h>
#include <strings.h>

#define SCOPE_PREFIX "/mcp/"

struct wanted {
    const char *host, *origin, *authorization, *type, *session, *version, *method, *name, *resumed,
        *length, *encoding;
    bool takes_json, takes_events;
    bool is_doubled; /* one that may come once came twice */
};

bool request_refuse(struct request *request, unsigned status, const char *message)
{
    request->refusal = (struct refusal){status, message};
    return false;
}

/* Whether a list of media types has that one, or all. */
static bool accepts(const char *list, const char *type)
{
    size_t family = (size_t)(strchr(type, '/') - type) + 1;
    for (const char *item = list; *item; item += strcspn(item, ",")) {
        item += strspn(item, ", \t");
        size_t length = strcspn(item, ",; \t");
        if ((length == strlen(type) && strncasecmp(item, type, length) == 0) ||
            (length == 3 && strncmp(item, "*/*", 3) == 0) ||
            (length == family + 1 && strncasecmp(item, type, family) == 0 && item[family] == '*'))
            return true;
    }
    return false;
}

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *key,
                                   const char *value)
{
    struct wanted *wanted = context;
    const struct {
        const char *name;
        const char **place;
    } rows[] = {
        {"Host", &wanted->host},
        {"Origin", &wanted->origin},
        {"Authorization", &wanted->authorization},
        {"Content-Type", &wanted->type},
        {"Mcp-Session-Id", &wanted->session},
        {"MCP-Protocol-Version", &wanted->version},
        {"Mcp-Method", &wanted->method},
        {"Mcp-Name", &wanted->name},
        {"Last-Event-ID", &wanted->resumed},
        {"Content-Length", &wanted->length},
        {"Transfer-Encoding", &wanted->encoding},
    };
    (void)kind;
    value = value ? value : "";
    if (strcasecmp(key, "Accept") == 0) {
        wanted->takes_json = wanted->takes_json || accepts(value, "application/json");
        wanted->takes_events = wanted->takes_events || accepts(value, "text/event-stream");
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcasecmp(key, rows[i].name) == 0) {
            wanted->is_doubled = wanted->is_doubled || *rows[i].place;
            *rows[i].place = value;
        }
    return MHD_YES;
}

static bool check_place(struct request *request, const struct wanted *wanted)
{
    const struct http_settings *settings = request->http->settings;
    if (wanted->is_doubled || (wanted->length && wanted->encoding))
        return request_refuse(request, MHD_HTTP_BAD_REQUEST, "a header came twice");
    if (settings->place.is_unix)
        return request->connection->is_owner ||
               request_refuse(request, MHD_HTTP_FORBIDDEN, "this socket is another user's");
    if (!host_is_ours(wanted->host, &settings->hosts))
        return request_refuse(request, MHD_HTTP_FORBIDDEN,
                              "Host is no name of this server; see --allow-host");
    if (!origin_is_ours(wanted->origin, wanted->host, settings->tls_certificate != NULL,
                        &settings->origins))
        return request_refuse(request, MHD_HTTP_FORBIDDEN,
                              "Origin is another site; see --allow-origin");
    return true;
}

/* Sets *token to whose request it is; to NULL where no token is needed. */
static bool check_token(struct request *request, const struct wanted *wanted,
                        const struct token **token)
{
    static const char scheme[] = "Bearer ";
    const struct tokens *tokens = request->http->tokens;
    const char *given = wanted->authorization;
    *token = NULL;
    if (tokens && given && strncasecmp(given, scheme, strlen(scheme)) == 0)
        *token = tokens_find(tokens, given + strlen(scheme) + strspn(given + strlen(scheme), " "));
    if (tokens && !*token)
        return request_refuse(request, MHD_HTTP_UNAUTHORIZED, "a token is needed");
    if (*token)
        request->principal = (*token)->principal;
    if (!connection_admit(request->connection, &request->principal))
        return request_refuse(request, MHD_HTTP_TOO_MANY_REQUESTS, "too many connections");
    return true;
}

static bool is_served(const struct http_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->scope_count; i++)
        if (strcmp(settings->scopes[i], name) == 0)
            return true;
    return settings->scope_count == 0;
}

/* The same for what is not there and what is not theirs. */
static bool nothing_here(struct request *request)
{
    return request_refuse(request, MHD_HTTP_NOT_FOUND, "there is nothing here");
}

static bool check_message(struct request *request, const struct wanted *wanted)
{
    size_t length = wanted->type ? strcspn(wanted->type, "; \t") : 0;
    if (length != strlen("application/json") ||
        strncasecmp(wanted->type, "application/json", length) != 0)
        return request_refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                              "Content-Type must be application/json");
    if (!wanted->takes_json || !wanted->takes_events)
        return request_refuse(request, MHD_HTTP_NOT_ACCEPTABLE,
                              "Accept must have application/json and text/event-stream");
    if (wanted->length && strtoull(wanted->length, NULL, 10) > MESSAGE_LIMIT)
        return request_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the message is too large");
    return true;
}

static bool check_method(struct request *request, const struct wanted *wanted, const char *method)
{
    if (strcmp(method, MHD_HTTP_METHOD_POST) == 0)
        return check_message(request, wanted);
    bool is_get = strcmp(method, MHD_HTTP_METHOD_GET) == 0;
    if (request->is_stateless || (!is_get && strcmp(method, MHD_HTTP_METHOD_DELETE) != 0))
        return request_refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED,
                              "what is sent here is sent by POST");
    if (is_get && !wanted->takes_events)
        return request_refuse(request, MHD_HTTP_NOT_ACCEPTABLE,
                              "Accept must have text/event-stream");
    if (!request->session_id[0])
        return request_refuse(request, MHD_HTTP_BAD_REQUEST, "Mcp-Session-Id is missing");
    return true;
}

/* Without the blanks that may stand behind a value. */
static char *copy(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    return text ? xmemdup0(text, length) : NULL;
}

static bool take_session(struct request *request, const struct wanted *wanted)
{
    cleanup_free char *session = copy(wanted->session);
    request->version = copy(wanted->version);
    request->method = copy(wanted->method);
    request->name = copy(wanted->name);
    request->resumed = copy(wanted->resumed);
    const char *version = request->version ? request->version : "";
    request->is_stateless = strcmp(version, FIRST_STATELESS) >= 0;
    request->is_primed = !request->is_stateless && strcmp(version, FIRST_PRIMED) >= 0;
    if (request->is_stateless || !session)
        return true;
    if (strlen(session) != SESSION_ID_ROOM - 1)
        return request_refuse(request, MHD_HTTP_NOT_FOUND, "there is no such session");
    memcpy(request->session_id, session, SESSION_ID_ROOM);
    return true;
}

/* One without a session may bring the scope up; of others it is up. */
static bool take_scope(struct request *request, const char *name)
{
    struct http *http = request->http;
    bool has_session = true;
    if (http->is_ending)
        return request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is ending");
    pthread_mutex_lock(&http->lock);
    struct served *served = http->scopes;
    while (served && (served->is_leaving || strcmp(served->name, name) != 0))
        served = served->next;
    if (request->session_id[0])
        has_session = served && session_find(served, request->session_id, &request->principal);
    else
        served = served_get(http, name);
    if (served && has_session) {
        served->users++;
        request->served = served;
    }
    pthread_mutex_unlock(&http->lock);
    if (!has_session)
        return request_refuse(request, MHD_HTTP_NOT_FOUND, "there is no such session");
    return served || request_refuse(request, MHD_HTTP_TOO_MANY_REQUESTS, "too many scopes are up");
}

bool request_check(struct request *request, const char *url, const char *method)
{
    struct wanted wanted = {0};
    const struct token *token;
    bool is_get = strcmp(method, MHD_HTTP_METHOD_GET) == 0;
    MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, take_header, &wanted);
    if (!check_place(request, &wanted))
        return false;
    request->page = is_get && strcmp(url, "/health") == 0 ? PAGE_HEALTH : PAGE_NONE;
    if (request->page == PAGE_HEALTH)
        return true;
    if (!check_token(request, &wanted, &token))
        return false;
    if (is_get && strcmp(url, "/metrics") == 0 && (!token || token->is_for_metrics)) {
        request->page = PAGE_METRICS;
        return true;
    }
    const char *name = url + strlen(SCOPE_PREFIX);
    if (strncmp(url, SCOPE_PREFIX, strlen(SCOPE_PREFIX)) != 0 || !scope_name_is_valid(name) ||
        (token && !token_is_for(token, name)) || !is_served(request->http->settings, name))
        return nothing_here(request);
    return take_session(request, &wanted) && check_method(request, &wanted, method) &&
           take_scope(request, name);
}
