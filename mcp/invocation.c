#include "invocation.h"

#include "scopefs/duration.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SCOPES    16
#define MAX_SESSIONS  32
#define IDLE_MS       (30UL * 60 * 1000)
#define SCOPE_IDLE_MS (5UL * 60 * 1000)
#define GRACE_MS      10000

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read scopes from FILE"},
    {"listen", 'l', "PLACE", "serve HTTP at ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH"},
    {"tokens", 't', "FILE", "who may use which scopes; needed for HTTP but on unix:PATH"},
    {"make-token", 0, NULL, "print a new token, and its line for FILE"},
    {"no-tokens", 0, NULL, "let every user of this host use the scopes"},
    {"tls-cert", 0, "FILE", "the server's certificate, with those between, in PEM"},
    {"tls-key", 0, "FILE", "its key"},
    {"plain", 0, NULL, "listen beyond this host without TLS"},
    {"allow-host", 0, "NAME", "a name by which clients call this server"},
    {"allow-origin", 0, "ORIGIN", "a site whose requests are let in"},
    {"max-scopes", 0, "N", "how many scopes may be up at a time (16)"},
    {"max-sessions", 0, "N", "how many sessions a scope may have (32)"},
    {"session-idle", 0, "DURATION", "when a session ends that nobody uses (30m)"},
    {"scope-idle", 0, "DURATION", "when a scope without sessions goes down (5m)"},
    {"grace", 0, "DURATION", "how long the end waits for what runs (10s)"},
    {"help", 'h', NULL, "print this help"},
    {"version", 0, NULL, "print the version"},
    {0},
};

const struct command invocation_command = {
    .name = "scopefs-mcp",
    .synopsis = "[OPTION...] SCOPE | --listen PLACE [OPTION...] [SCOPE...]",
    .purpose = "Serve tools on the view of a scope over the Model Context Protocol.",
    .options = option_rows,
};

static int add_name(struct names *names, const char *name)
{
    names->items = xreallocarray(names->items, names->count + 1, sizeof(*names->items));
    names->items[names->count++] = name;
    return 0;
}

static int parse_count(const char *option, const char *text, size_t *count, struct error **error)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '1' || *text > '9' || *end || errno || value > 100000)
        return error_set(error, 0, "--%s takes a number from 1 to 100000, not '%s'", option, text);
    *count = value;
    return 0;
}

static int parse_duration(const char *option, const char *text, unsigned long *milliseconds,
                          struct error **error)
{
    if (duration_parse(text, milliseconds))
        return 0;
    return error_set(error, 0, "--%s %s: " DURATION_SYNTAX, option, text);
}

static int handle_option(void *context, const struct option_row *row, const char *argument,
                         struct error **error)
{
    struct invocation *invocation = context;
    struct http_settings *http = &invocation->http;
    const struct {
        const char *name;
        const char **text;
        bool *flag;
        struct names *names;
        size_t *count;
        unsigned long *milliseconds;
    } places[] = {
        {.name = "config", .text = &invocation->config_file},
        {.name = "listen", .text = &invocation->listen},
        {.name = "tokens", .text = &http->tokens_file},
        {.name = "make-token", .flag = &invocation->make_token},
        {.name = "no-tokens", .flag = &invocation->is_without_tokens},
        {.name = "tls-cert", .text = &http->tls_certificate},
        {.name = "tls-key", .text = &http->tls_key},
        {.name = "plain", .flag = &invocation->is_plain},
        {.name = "allow-host", .names = &http->hosts},
        {.name = "allow-origin", .names = &http->origins},
        {.name = "max-scopes", .count = &http->max_scopes},
        {.name = "max-sessions", .count = &http->max_sessions},
        {.name = "session-idle", .milliseconds = &http->session_idle_ms},
        {.name = "scope-idle", .milliseconds = &http->scope_idle_ms},
        {.name = "grace", .milliseconds = &http->grace_ms},
        {.name = "help", .flag = &invocation->help},
        {.name = "version", .flag = &invocation->version},
    };
    size_t at = 0;
    while (strcmp(places[at].name, row->name) != 0)
        at++;
    if (places[at].text)
        *places[at].text = argument;
    if (places[at].flag)
        *places[at].flag = true;
    return places[at].names   ? add_name(places[at].names, argument)
           : places[at].count ? parse_count(row->name, argument, places[at].count, error)
           : places[at].milliseconds
               ? parse_duration(row->name, argument, places[at].milliseconds, error)
               : 0;
}

static int check_tls(const struct invocation *invocation, struct error **error)
{
    const struct http_settings *http = &invocation->http;
    bool has_tls = http->tls_certificate && http->tls_key;
    if (!has_tls && (http->tls_certificate || http->tls_key))
        return error_set(error, 0, "--tls-cert and --tls-key belong together");
    if (http->place.is_unix && has_tls)
        return error_set(error, 0, "on unix:PATH there is no TLS");
    if (!http->place.is_unix && !http->place.is_loopback && !has_tls && !invocation->is_plain)
        return error_set(error, 0,
                         "beyond this host tokens and files would go unencrypted; give --tls-cert "
                         "and --tls-key, or --plain where something else encrypts");
    return 0;
}

/* What cannot be taken back is asked for by name. */
static int check_listen(struct invocation *invocation, struct error **error)
{
    struct http_settings *http = &invocation->http;
    if (listen_parse(invocation->listen, &http->place, error) < 0 ||
        check_tls(invocation, error) < 0)
        return -1;
    if (http->tokens_file && invocation->is_without_tokens)
        return error_set(error, 0, "--tokens and --no-tokens exclude each other");
    if (http->tokens_file || http->place.is_unix)
        return 0;
    if (!invocation->is_without_tokens)
        return error_set(error, 0,
                         "every user of this host could connect; give --tokens FILE, or listen at "
                         "unix:PATH, or say --no-tokens");
    if (!http->place.is_loopback)
        return error_set(error, 0, "beyond this host tokens are needed: give --tokens FILE");
    if (http->scope_count == 0)
        return error_set(error, 0, "with --no-tokens, name the scopes that everybody may use");
    return 0;
}

int invocation_parse(struct invocation *invocation, int argc, char **argv, struct error **error)
{
    *invocation = (struct invocation){
        .http = {.max_scopes = MAX_SCOPES,
                 .max_sessions = MAX_SESSIONS,
                 .session_idle_ms = IDLE_MS,
                 .scope_idle_ms = SCOPE_IDLE_MS,
                 .grace_ms = GRACE_MS},
    };
    int operands = options_parse(&invocation_command, argc, argv, handle_option, invocation, error);
    if (operands < 0)
        return -1;
    invocation->http.scopes = (const char *const *)argv + 1;
    invocation->http.scope_count = (size_t)operands;
    if (invocation->help || invocation->version || invocation->make_token)
        return 0;
    if (invocation->listen)
        return check_listen(invocation, error);
    if (operands != 1)
        return error_set(error, 0, "name one scope");
    return 0;
}

void invocation_free(struct invocation *invocation)
{
    free(invocation->http.hosts.items);
    free(invocation->http.origins.items);
}
