#include "status.h"

#include "control.h"
#include "memory_use.h"

#include "scopefs/config.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <stdio.h>
#include <unistd.h>

static const char *state_of(const struct policy_file *file)
{
    uint64_t now;
    if (!file->path)
        return "none";
    if (config_digest_file(file->path, &now) < 0)
        return "gone";
    return now == file->digest ? "current" : "changed";
}

static void add_path(struct strbuf *reply, const char *key, const char *path)
{
    strbuf_add_format(reply, "%s=", key);
    strbuf_add_quoted(reply, path, strlen(path));
    strbuf_add_text(reply, "\n");
}

void status_write(struct strbuf *reply, const char *source, pid_t server,
                  const struct policy_file *file, const char *counters)
{
    cleanup_fd int memory_fd = memory_use_open();
    add_path(reply, "source", source);
    add_path(reply, "policy_file", file->path ? file->path : "");
    strbuf_add_format(reply, "policy_state=%s\nserver=%ld\nsupervisor_memory=%ld\n", state_of(file),
                      (long)server, memory_use_read(memory_fd));
    for (const char *word = counters; *word;) {
        size_t length = strcspn(word, " ");
        strbuf_add(reply, word, length);
        strbuf_add_text(reply, "\n");
        word += length;
        word += strspn(word, " ");
    }
}

int status_ask(const struct mount_row *row)
{
    return control_send(row, "status", NULL);
}

/* The value of "KEY=VALUE" in the lines of text, or NULL; the caller frees it. */
static char *find_value(const char *text, const char *key)
{
    cleanup_free char *start = xasprintf("\n%s=", key);
    const char *found = strstr(text, start);
    if (!found)
        return NULL;
    found += strlen(start);
    char *value = xmemdup0(found, strcspn(found, "\n"));
    strbuf_unquote(value);
    return value;
}

static long long find_number(const char *text, const char *key)
{
    cleanup_free char *value = find_value(text, key);
    return value ? strtoll(value, NULL, 10) : -1;
}

bool status_take(int fd, struct view_status *status)
{
    cleanup_strbuf struct strbuf reply = {0};
    if (control_receive(fd, &reply) < 0)
        return false;
    cleanup_free char *text = xasprintf("\n%s", reply.bytes);
    long own = (long)find_number(text, "supervisor_memory");
    long server = (long)find_number(text, "server_memory");
    *status = (struct view_status){
        .source = find_value(text, "source"),
        .policy_file = find_value(text, "policy_file"),
        .policy_state = find_value(text, "policy_state"),
        .passthrough = find_value(text, "passthrough"),
        .server = (pid_t)find_number(text, "server"),
        .memory_kib = own < 0 || server < 0 ? -1 : own + server,
        .handles = (unsigned long long)find_number(text, "handles"),
        .nodes = (unsigned long long)find_number(text, "nodes"),
        .operations = (unsigned long long)find_number(text, "operations"),
        .refusals = (unsigned long long)find_number(text, "refusals"),
    };
    if (status->source && status->policy_file && status->policy_state && status->passthrough)
        return true;
    status_free(status);
    return false;
}

void status_free(struct view_status *status)
{
    free(status->source);
    free(status->policy_file);
    free(status->policy_state);
    free(status->passthrough);
    *status = (struct view_status){0};
}
