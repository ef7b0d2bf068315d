/* scopefs-mcp: serves the tools of an agent over the Model Context Protocol, on top of a view. */
#include "config.h"

#include "host.h"
#include "invocation.h"
#include "scopefs/config.h"
#include "scopefs/mem.h"
#include "stdio.h"

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

static int serve(const struct invocation *invocation, struct error **error)
{
    cleanup_free char *found = invocation->config_file ? NULL : config_find(error);
    const char *config_file = invocation->config_file ? invocation->config_file : found;
    if (!config_file)
        return -1;
    return serve_stdio(config_file, invocation->scope_name, error);
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
    if (serve(&invocation, &error) == 0)
        return 0;
    report(error);
    return STATUS_FAILED;
}
