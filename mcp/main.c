/* scopefs-mcp: serves the tools of an agent over the Model Context Protocol, on top of a view. */
#include "config.h"

#include "host.h"
#include "invocation.h"
#include "scopefs/config.h"
#include "scopefs/mem.h"
#include "stdio.h"
#include "tokens.h"

#include <signal.h>
#include <stdio.h>

enum { STATUS_FAILED = 1, STATUS_USAGE = 2 };

static void report(const struct error *error)
{
    if (error)
        fprintf(stderr, "%s: %s\n", invocation_command.name, error->message);
}

static int serve_stdio(const char *config_file, const char *scope_name, struct error **error)
{
    cleanup_error struct error *close_error = NULL;
    struct host *host = host_open(config_file, scope_name, error);
    if (!host)
        return -1;
    int result = stdio_serve(host, error);
    if (host_close(host, &close_error) < 0)
        report(close_error);
    return result;
}

static int check_scope(const struct config *config, const char *name, const char *file,
                       unsigned line, struct error **error)
{
    if (config_scope(config, name, error))
        return 0;
    return line ? error_wrap(error, "%s:%u", file, line) : -1;
}

/* That a scope is not there is better said now than when it is asked for. */
static int check_scopes(const struct http_settings *settings, struct error **error)
{
    int result = 0;
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    struct config *config = config_load(settings->config_file, &diagnostics);
    struct tokens *tokens = NULL;
    diagnostics_print(&diagnostics, stderr);
    if (!config)
        return error_set(error, 0, "%s has errors; nothing is served", settings->config_file);
    if (settings->tokens_file && !(tokens = tokens_load(settings->tokens_file, error)))
        result = -1;
    for (size_t i = 0; result == 0 && i < settings->scope_count; i++)
        result = check_scope(config, settings->scopes[i], NULL, 0, error);
    for (size_t i = 0; tokens && result == 0 && i < tokens->count; i++)
        for (size_t j = 0; result == 0 && j < tokens->items[i].scope_count; j++)
            result = check_scope(config, tokens->items[i].scopes[j], tokens->file,
                                 tokens->items[i].line, error);
    tokens_free(tokens);
    config_free(config);
    return result;
}

static int serve_http(const struct http_settings *settings, struct error **error)
{
    return check_scopes(settings, error) < 0 ? -1 : http_serve(settings, error);
}

static int serve(struct invocation *invocation, struct error **error)
{
    if (invocation->make_token)
        return token_make(invocation->http.scopes, invocation->http.scope_count, error);
    cleanup_free char *found = invocation->config_file ? NULL : config_find(error);
    const char *config_file = invocation->config_file ? invocation->config_file : found;
    if (!config_file)
        return -1;
    invocation->http.config_file = config_file;
    return invocation->listen ? serve_http(&invocation->http, error)
                              : serve_stdio(config_file, invocation->http.scopes[0], error);
}

int main(int argc, char **argv)
{
    cleanup_error struct error *error = NULL;
    struct invocation invocation;
    /* Ignored by inheritance, children would be gone before anybody has read their status. */
    signal(SIGCHLD, SIG_DFL);
    if (invocation_parse(&invocation, argc, argv, &error) < 0) {
        report(error);
        fprintf(stderr, "Try '%s --help'.\n", invocation_command.name);
        return STATUS_USAGE;
    }
    if (invocation.help) {
        options_print_help(&invocation_command, stdout);
        return 0;
    }
    if (invocation.version) {
        puts("scopefs-mcp " PACKAGE_VERSION);
        return 0;
    }
    int result = serve(&invocation, &error);
    invocation_free(&invocation);
    if (result == 0)
        return 0;
    report(error);
    return STATUS_FAILED;
}
