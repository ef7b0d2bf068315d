#include "scopefs/audit_line.h"

#include "scopefs/mem.h"

#include <ctype.h>
#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static const struct {
    const char *key;
    size_t offset;
} text_fields[] = {
    {"time", offsetof(struct audit_line, time)},
    {"scope", offsetof(struct audit_line, scope)},
    {"operation", offsetof(struct audit_line, operation)},
    {"path", offsetof(struct audit_line, path)},
    {"wanted", offsetof(struct audit_line, wanted)},
    {"level", offsetof(struct audit_line, level)},
    {"decided_by", offsetof(struct audit_line, decider)},
    {"rule", offsetof(struct audit_line, rule)},
    {"errno", offsetof(struct audit_line, error)},
    {"command", offsetof(struct audit_line, command)},
};
enum { TEXT_FIELDS = sizeof(text_fields) / sizeof(text_fields[0]) };

static char **text_field(struct audit_line *line, size_t index)
{
    return (char **)((char *)line + text_fields[index].offset);
}

void audit_line_write(const struct audit_line *line, struct strbuf *text)
{
    for (size_t i = 0; i < TEXT_FIELDS; i++) {
        const char *value = *text_field((struct audit_line *)line, i);
        strbuf_add_format(text, "%s\"%s\":", i ? "," : "{", text_fields[i].key);
        if (value)
            strbuf_add_json(text, value, strlen(value));
        else
            strbuf_add_text(text, "null");
    }
    strbuf_add_format(text, ",\"pid\":%ld,\"uid\":%ld", line->process, line->user);
    if (line->repeats)
        strbuf_add_format(text, ",\"repeats\":%lu", line->repeats);
    if (line->dropped)
        strbuf_add_format(text, ",\"dropped\":%lu", line->dropped);
    strbuf_add_text(text, "}\n");
}

/* https://systemd.io/JOURNAL_NATIVE_PROTOCOL: with its length a value may hold any byte. */
static void add_field(struct strbuf *fields, const char *name, const char *value)
{
    uint64_t length = htole64(strlen(value));
    strbuf_add_format(fields, "%s\n", name);
    strbuf_add(fields, &length, sizeof(length));
    strbuf_add_format(fields, "%s\n", value);
}

static void add_number(struct strbuf *fields, const char *name, long number)
{
    strbuf_add_format(fields, "%s=%ld\n", name, number);
}

void audit_line_add_fields(const struct audit_line *line, struct strbuf *fields)
{
    cleanup_strbuf struct strbuf message = {0};
    audit_line_describe(line, &message);
    add_field(fields, "MESSAGE", message.bytes);
    strbuf_add_text(fields, "SYSLOG_IDENTIFIER=scopefs\n");
    add_number(fields, "PRIORITY", line->error ? LOG_NOTICE : LOG_INFO);
    for (size_t i = 0; i < TEXT_FIELDS; i++) {
        const char *value = *text_field((struct audit_line *)line, i);
        cleanup_free char *name = xasprintf("SCOPEFS_%s", text_fields[i].key);
        for (char *letter = name; *letter; letter++)
            *letter = (char)toupper((unsigned char)*letter);
        if (value)
            add_field(fields, name, value);
    }
    add_number(fields, "SCOPEFS_PID", line->process);
    add_number(fields, "SCOPEFS_UID", line->user);
    if (line->repeats)
        add_number(fields, "SCOPEFS_REPEATS", (long)line->repeats);
    if (line->dropped)
        add_number(fields, "SCOPEFS_DROPPED", (long)line->dropped);
}

/* One \uXXXX as strbuf_add_json writes it: a control character, or a byte that is not UTF-8 as
 * \udcXX. False for others. */
static bool decode_escape(const char *digits, char *byte)
{
    char copy[5] = "", *end;
    strncpy(copy, digits, 4);
    unsigned long number = strtoul(copy, &end, 16);
    if (end != copy + 4 || (number >= 0x80 && (number & 0xff00) != 0xdc00))
        return false;
    *byte = (char)(number & 0xff);
    return true;
}

/* Decodes the JSON string that begins at *at, behind whose end *at is then. NULL when it is none.
 */
static char *parse_text(const char **at)
{
    const char *from = *at;
    if (*from++ != '"')
        return NULL;
    char *text = xmalloc(strlen(from) + 1), *to = text;
    while (*from && *from != '"') {
        if (*from != '\\') {
            *to++ = *from++;
        } else if (from[1] == 'u' && decode_escape(from + 2, to)) {
            to++;
            from += 6;
        } else if (from[1] == '"' || from[1] == '\\') {
            *to++ = from[1];
            from += 2;
        } else {
            break;
        }
    }
    *to = '\0';
    if (*from != '"') {
        free(text);
        return NULL;
    }
    *at = from + 1;
    return text;
}

static bool parse_number(const char **at, const char *key, struct audit_line *line)
{
    char *end;
    long number = strtol(*at, &end, 10);
    if (end == *at)
        return false;
    *at = end;
    if (strcmp(key, "pid") == 0)
        line->process = number;
    else if (strcmp(key, "uid") == 0)
        line->user = number;
    else if (strcmp(key, "repeats") == 0)
        line->repeats = (unsigned long)number;
    else if (strcmp(key, "dropped") == 0)
        line->dropped = (unsigned long)number;
    return true;
}

static bool parse_value(const char **at, const char *key, struct audit_line *line)
{
    if (strncmp(*at, "null", 4) == 0) {
        *at += 4;
        return true;
    }
    if (**at != '"')
        return parse_number(at, key, line);
    char *value = parse_text(at);
    for (size_t i = 0; value && i < TEXT_FIELDS; i++) {
        char **field = text_field(line, i);
        if (strcmp(text_fields[i].key, key) != 0)
            continue;
        free(*field);
        *field = value;
        return true;
    }
    free(value);
    return value != NULL;
}

static bool parse_members(const char *at, struct audit_line *line)
{
    if (*at++ != '{')
        return false;
    for (;;) {
        cleanup_free char *key = parse_text(&at);
        if (!key || *at++ != ':' || !parse_value(&at, key, line))
            return false;
        if (*at == '}')
            return true;
        if (*at++ != ',')
            return false;
    }
}

bool audit_line_parse(const char *text, struct audit_line *line)
{
    *line = (struct audit_line){0};
    bool whole = parse_members(text, line);
    for (size_t i = 0; i < TEXT_FIELDS; i++)
        whole = whole && (*text_field(line, i) || strcmp(text_fields[i].key, "errno") == 0);
    if (!whole)
        audit_line_free(line);
    return whole;
}

void audit_line_free(struct audit_line *line)
{
    for (size_t i = 0; i < TEXT_FIELDS; i++)
        free(*text_field(line, i));
    *line = (struct audit_line){0};
}

/* No text is trusted: the names in a record are an agent's, the rest comes from a server or a file.
 */
static void add_quoted(struct strbuf *text, const char *value)
{
    strbuf_add_quoted(text, value, strlen(value));
}

static void describe_connection(const struct audit_line *line, struct strbuf *text)
{
    strbuf_add_text(text, line->error ? "refused a connection to " : "allowed a connection to ");
    add_quoted(text, line->path);
    strbuf_add_text(text, ": ");
    add_quoted(text, line->rule);
}

static void describe_access(const struct audit_line *line, struct strbuf *text)
{
    strbuf_add_text(text, line->error ? "refused " : "allowed ");
    add_quoted(text, line->operation);
    strbuf_add_text(text, " of /");
    add_quoted(text, line->path[0] == '/' ? line->path + 1 : line->path);
    strbuf_add_text(text, ": needs ");
    add_quoted(text, line->wanted);
    strbuf_add_text(text, ", has ");
    add_quoted(text, line->level);
    strbuf_add_text(text, " by ");
    add_quoted(text, line->decider);
    strbuf_add_text(text, line->rule[0] ? " " : "");
    add_quoted(text, line->rule);
}

void audit_line_describe(const struct audit_line *line, struct strbuf *text)
{
    if (line->dropped)
        strbuf_add_format(text, "(%lu records before this one were lost) ", line->dropped);
    if (strcmp(line->wanted, AUDIT_NETWORK) == 0)
        describe_connection(line, text);
    else
        describe_access(line, text);
    if (line->error) {
        strbuf_add_text(text, " (");
        add_quoted(text, line->error);
        strbuf_add_text(text, ")");
    }
    strbuf_add_format(text, ", user %ld", line->user);
    if (line->process) {
        strbuf_add_format(text, ", process %ld ", line->process);
        add_quoted(text, line->command);
    }
    if (line->repeats)
        strbuf_add_format(text, ", %lu times more", line->repeats);
}
