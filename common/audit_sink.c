#include "scopefs/audit_sink.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"

#include <errno.h>
#include <string.h>

static const unsigned service_targets[AUDIT_SERVICES] = {
    [AUDIT_SYSLOG] = LOG_TO_SYSLOG,
    [AUDIT_JOURNAL] = LOG_TO_JOURNAL,
};

int audit_sink_probe(unsigned targets, struct error **error)
{
    for (enum audit_service service = 0; service < AUDIT_SERVICES; service++)
        if ((targets & service_targets[service]) && audit_service_probe(service, error) < 0)
            return -1;
    return 0;
}

void audit_sink_open(struct audit_sink *sink, const char *scope, unsigned targets)
{
    *sink = (struct audit_sink){.targets = targets};
    audit_file_open(&sink->file, scope);
    for (enum audit_service service = 0; service < AUDIT_SERVICES; service++)
        sink->service_fds[service] = -1;
}

static void add_to_file(struct audit_sink *sink, const struct audit_line *line)
{
    cleanup_strbuf struct strbuf text = {0};
    audit_line_write(line, &text);
    if (audit_file_add(&sink->file, &text) == 0 || sink->file_has_failed)
        return;
    log_error("%s: cannot write the audit file: %s", line->scope, strerror(errno));
    sink->file_has_failed = true;
}

static void add_to_service(struct audit_sink *sink, enum audit_service service,
                           const struct audit_line *line)
{
    struct audit_line own = *line;
    own.dropped += sink->lost[service];
    if (audit_service_send(service, &sink->service_fds[service], &own) == 0) {
        sink->lost[service] = 0;
        sink->service_has_failed[service] = false;
        return;
    }
    if (!sink->service_has_failed[service])
        log_error("%s: cannot record to %s: %s", line->scope,
                  service == AUDIT_SYSLOG ? "syslog" : "the journal", strerror(errno));
    sink->service_has_failed[service] = true;
    sink->lost[service] = own.dropped + 1 + line->repeats;
}

void audit_sink_add(struct audit_sink *sink, const struct audit_line *line)
{
    if (sink->targets & LOG_TO_FILE)
        add_to_file(sink, line);
    for (enum audit_service service = 0; service < AUDIT_SERVICES; service++)
        if (sink->targets & service_targets[service])
            add_to_service(sink, service, line);
}

void audit_sink_close(struct audit_sink *sink)
{
    audit_file_close(&sink->file);
    for (enum audit_service service = 0; service < AUDIT_SERVICES; service++)
        fd_close(&sink->service_fds[service]);
}
