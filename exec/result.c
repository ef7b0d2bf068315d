#include "result.h"

#include "scopefs/strbuf.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

void result_add_usage(struct result *result)
{
    struct rusage usage;
    if (getrusage(RUSAGE_CHILDREN, &usage) < 0)
        return;
    /* The mount of a private view counts here too; what a group has counted is the command's. */
    if (!result->usage.cpu_us)
        result->usage.cpu_us =
            (unsigned long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000U +
            (unsigned long long)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    if (!result->usage.peak_memory)
        result->usage.peak_memory = (unsigned long long)usage.ru_maxrss * 1024U;
}

/* The length of the UTF-8 sequence there, 0 when it is none. The tables are those of RFC 3629. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    if (at[0] < 0x80)
        return 1;
    size_t length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (at[0] < 0xc2 || at[0] > 0xf4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

/* How many leading bytes are UTF-8. */
static size_t utf8_prefix(const char *bytes, size_t size)
{
    size_t at = 0;
    for (size_t length; at < size; at += length)
        if (!(length = utf8_length((const unsigned char *)bytes + at, size - at)))
            break;
    return at;
}

static void add_base64(struct strbuf *text, const char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = (const unsigned char *)bytes;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)from[i] << 16;
        if (i + 1 < size)
            group |= (uint32_t)from[i + 1] << 8;
        if (i + 2 < size)
            group |= from[i + 2];
        char four[4];
        for (int digit = 0; digit < 4; digit++)
            four[digit] = digits[(group >> (18 - 6 * digit)) & 63];
        if (i + 1 >= size)
            four[2] = '=';
        if (i + 2 >= size)
            four[3] = '=';
        strbuf_add(text, four, 4);
    }
}

static void add_stream(struct strbuf *text, const char *name, const struct capture *capture)
{
    const char *bytes = capture->kept.bytes ? capture->kept.bytes : "";
    size_t size = capture->kept.length;
    size_t valid = utf8_prefix(bytes, size);
    bool is_truncated = capture->size > size;
    /* Truncation may have cut a character, which does not make the rest binary. */
    bool is_text = valid == size || (is_truncated && size - valid < 4);
    strbuf_add_format(text, ",\"%s\":", name);
    if (is_text) {
        strbuf_add_json(text, bytes, valid);
    } else {
        strbuf_add_text(text, "\"");
        add_base64(text, bytes, size);
        strbuf_add_text(text, "\"");
    }
    strbuf_add_format(text, ",\"%s_encoding\":\"%s\",\"%s_size\":%llu,\"%s_truncated\":%s", name,
                      is_text ? "utf-8" : "base64", name, capture->size, name,
                      is_truncated ? "true" : "false");
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

/* 0: none. Nobody is left to tell of a status when the whole sandbox is killed. */
static int signal_of(const struct outcome *outcome)
{
    if (!outcome->came_up)
        return 0;
    if (!outcome->status_is_known)
        return SIGKILL;
    return WIFSIGNALED(outcome->wait_status) ? WTERMSIG(outcome->wait_status) : 0;
}

static void add_member(struct strbuf *text, const char *name, const char *value)
{
    strbuf_add_format(text, "\"%s\":", name);
    strbuf_add_json(text, value, strlen(value));
    strbuf_add_text(text, ",");
}

static void add_accesses(struct strbuf *text, const struct access_report *report)
{
    if (!report->is_known) {
        strbuf_add_text(text, ",\"refused_accesses\":null");
        return;
    }
    strbuf_add_text(text, ",\"refused_accesses\":[");
    for (size_t i = 0; i < report->count; i++) {
        const struct audit_line *line = &report->items[i];
        strbuf_add_text(text, i ? ",{" : "{");
        add_member(text, "path", line->path);
        add_member(text, "operation", line->operation);
        add_member(text, "wanted", line->wanted);
        add_member(text, "level", line->level);
        add_member(text, "decided_by", line->decider);
        add_member(text, "rule", line->rule);
        add_member(text, "errno", line->error);
        add_member(text, "command", line->command);
        strbuf_add_format(text, "\"times\":%lu}", line->repeats + 1);
    }
    strbuf_add_format(text, "],\"refused_accesses_lost\":%lu", report->lost);
}

static void add_session(struct strbuf *text, const struct result *result)
{
    if (!result->session)
        return;
    strbuf_add_text(text, ",\"session\":{\"name\":");
    strbuf_add_json(text, result->session, strlen(result->session));
    strbuf_add_format(text, ",\"new\":%s,\"ended\":%s}", truth(result->session_is_new),
                      truth(result->session_has_ended));
}

void result_print(const struct result *result, bool with_output, FILE *stream)
{
    cleanup_strbuf struct strbuf text = {0};
    const struct outcome *outcome = &result->outcome;
    strbuf_add_text(&text, "{\"scope\":");
    strbuf_add_json(&text, result->scope_name, strlen(result->scope_name));
    strbuf_add_format(&text, ",\"exit_status\":%d,\"signal\":", result->exit_status);
    if (signal_of(outcome))
        strbuf_add_format(&text, "%d", signal_of(outcome));
    else
        strbuf_add_text(&text, "null");
    strbuf_add_format(&text, ",\"timed_out\":%s,\"out_of_memory\":%s", truth(outcome->timed_out),
                      truth(result->usage.out_of_memory > 0));
    strbuf_add_format(&text, ",\"duration\":%.6f,\"cpu_time\":%.6f,\"peak_memory\":%llu",
                      (double)outcome->duration_us / 1e6, (double)result->usage.cpu_us / 1e6,
                      result->usage.peak_memory);
    if (with_output) {
        add_stream(&text, "stdout", &result->sandbox.output);
        add_stream(&text, "stderr", &result->sandbox.errors);
        add_accesses(&text, &result->sandbox.accesses);
    }
    strbuf_add_text(&text, ",\"refused_connections\":");
    if (result->session)
        strbuf_add_text(&text, result->session_connections ? result->session_connections : "null");
    else
        network_report_add_json(&result->sandbox.network, &text);
    add_session(&text, result);
    strbuf_add_format(&text, ",\"refused\":%s,\"error\":", truth(result->refused));
    if (result->error)
        strbuf_add_json(&text, result->error, strlen(result->error));
    else
        strbuf_add_text(&text, "null");
    strbuf_add_text(&text, "}\n");
    fwrite(text.bytes, 1, text.length, stream);
    fflush(stream);
}
