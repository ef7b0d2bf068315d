/* Numbers for Prometheus, in its text format 0.0.4. */
#include "http_state.h"

static void add(struct strbuf *text, const char *name, const char *type, const char *help,
                unsigned long long value)
{
    strbuf_add_format(text,
                      "# HELP scopefs_mcp_%s %s\n# TYPE scopefs_mcp_%s %s\nscopefs_mcp_%s %llu\n",
                      name, help, name, type, name, value);
}

static void add_for_scopes(struct http *http, struct strbuf *text, const char *name,
                           const char *help, size_t offset)
{
    strbuf_add_format(text, "# HELP scopefs_mcp_%s %s\n# TYPE scopefs_mcp_%s gauge\n", name, help,
                      name);
    for (struct served *served = http->scopes; served; served = served->next)
        if (!served->is_leaving)
            strbuf_add_format(text, "scopefs_mcp_%s{scope=\"%s\"} %zu\n", name, served->name,
                              *(const size_t *)((const char *)served + offset));
}

void metrics_write(struct http *http, struct strbuf *text)
{
    const struct counters *counters = &http->counters;
    size_t scopes = 0;
    pthread_mutex_lock(&http->lock);
    for (struct served *served = http->scopes; served; served = served->next)
        scopes += !served->is_leaving;
    add(text, "uptime_seconds", "gauge", "Since the server was started.",
        (http_now_ms() - http->started_ms) / 1000);
    add(text, "connections", "gauge", "Open connections.", http->connection_count);
    add(text, "scopes", "gauge", "Scopes that are up.", scopes);
    add(text, "requests_total", "counter", "HTTP requests.", counters->requests);
    add(text, "refused_total", "counter", "Requests that were refused.", counters->refused);
    add(text, "unauthorized_total", "counter", "Requests without a good token.",
        counters->unauthorized);
    add(text, "busy_total", "counter", "Requests refused because of a limit.", counters->busy);
    add(text, "messages_total", "counter", "Messages and ends of exchanges from workers.",
        counters->messages);
    add(text, "sessions_total", "counter", "Sessions that were begun.", counters->sessions);
    add(text, "scopes_total", "counter", "Scopes that were brought up.", counters->scopes);
    add_for_scopes(http, text, "scope_sessions", "Sessions of a scope.",
                   offsetof(struct served, session_count));
    add_for_scopes(http, text, "scope_running", "Exchanges of a scope that are not answered yet.",
                   offsetof(struct served, running));
    add_for_scopes(http, text, "scope_held_bytes", "Bytes of messages that are held for a scope.",
                   offsetof(struct served, held));
    pthread_mutex_unlock(&http->lock);
}
