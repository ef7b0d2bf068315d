#include "network_report.h"

#include "scopefs/audit_line.h"
#include "scopefs/audit_sink.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A command that tries every host there is fills neither memory nor the audit file. */
#define MAX_ITEMS 256

void network_report_open(struct network_report *report, int fd, const struct scope *scope)
{
    *report = (struct network_report){.fd = fd, .scope = scope};
}

static char *time_text(void)
{
    struct timespec now;
    struct tm utc;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    return xasprintf("%s.%03ldZ", text, now.tv_nsec / 1000000);
}

static void record(const struct network_report *report, const struct network_refusal *refusal)
{
    struct audit_sink sink;
    struct audit_line line = {
        .time = time_text(),
        .scope = xstrdup(report->scope->name),
        .operation = xstrdup("connect"),
        .path = xasprintf("%s:%u", refusal->host, refusal->port),
        .wanted = xstrdup(AUDIT_NETWORK),
        .level = xstrdup("none"),
        .decider = xstrdup("default"),
        .rule = xstrdup(refusal->reason),
        .error = xstrdup("EACCES"),
        .command = xstrdup(""),
        .user = (long)geteuid(),
    };
    audit_sink_open(&sink, report->scope->name, report->scope->log_targets);
    audit_sink_add(&sink, &line);
    audit_sink_close(&sink);
    audit_line_free(&line);
}

static void take(struct network_report *report, struct network_refusal *refusal)
{
    refusal->host[sizeof(refusal->host) - 1] = '\0';
    refusal->reason[sizeof(refusal->reason) - 1] = '\0';
    for (size_t i = 0; i < report->count; i++)
        if (report->items[i].port == refusal->port &&
            strcmp(report->items[i].host, refusal->host) == 0) {
            report->times[i]++;
            return;
        }
    if (report->count == MAX_ITEMS) {
        report->others++;
        return;
    }
    report->items = xreallocarray(report->items, report->count + 1, sizeof(*report->items));
    report->times = xreallocarray(report->times, report->count + 1, sizeof(*report->times));
    report->items[report->count] = *refusal;
    report->times[report->count++] = 1;
    record(report, refusal);
}

void network_report_read(struct network_report *report)
{
    struct network_refusal refusal;
    while (report->fd >= 0) {
        ssize_t size = recv(report->fd, &refusal, sizeof(refusal), MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size == sizeof(refusal))
            take(report, &refusal);
        else
            fd_close(&report->fd);
    }
}

void network_report_clear(struct network_report *report)
{
    free(report->items);
    free(report->times);
    *report = (struct network_report){.fd = report->fd, .scope = report->scope};
}

void network_report_add_json(const struct network_report *report, struct strbuf *text)
{
    strbuf_add_text(text, "[");
    for (size_t i = 0; i < report->count; i++) {
        const struct network_refusal *item = &report->items[i];
        strbuf_add_text(text, i ? ",{\"host\":" : "{\"host\":");
        strbuf_add_json(text, item->host, strlen(item->host));
        strbuf_add_format(text, ",\"port\":%u,\"reason\":", item->port);
        strbuf_add_json(text, item->reason, strlen(item->reason));
        strbuf_add_format(text, ",\"times\":%lu}", report->times[i]);
    }
    strbuf_add_text(text, "]");
}

void network_report_free(struct network_report *report)
{
    network_report_clear(report);
    fd_close(&report->fd);
}
