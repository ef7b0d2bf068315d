/*
 * Fuzz target: what is recorded of an agent's doings, on its three ways. The input is taken as
 * records that the supervisor gets from a server, which may be anybody's by then; as a line of the
 * audit file; and as the names in such a line, which are the agent's to choose.
 */
#include "fuzz.h"

#include "../../fuse/audit.h"
#include "scopefs/audit_line.h"

#include "scopefs/mem.h"

#include <string.h>

static void check_records(const char *bytes, size_t size)
{
    struct audit_record record;
    for (size_t at = 0; at < size;) {
        ssize_t taken = audit_decode(bytes + at, size - at, &record);
        fuzz_check(taken <= (ssize_t)(size - at), "more was taken than there is");
        if (taken <= 0)
            return;
        const char *end = bytes + at + taken;
        fuzz_check(record.path + strlen(record.path) < end, "a path beyond its record");
        at += (size_t)taken;
    }
}

/* One line, and nothing in it that a terminal obeys. */
static void check_description(const struct audit_line *line)
{
    cleanup_strbuf struct strbuf text = {0};
    audit_line_describe(line, &text);
    for (size_t i = 0; i < text.length; i++)
        fuzz_check((unsigned char)text.bytes[i] >= 0x20 && text.bytes[i] != 0x7f,
                   "a control character is shown");
}

static void check_text(const char *text)
{
    struct audit_line line;
    if (!audit_line_parse(text, &line))
        return;
    check_description(&line);
    audit_line_free(&line);
}

/* What was written comes back, whatever bytes the names have. */
static void check_names(char *text, size_t size)
{
    char *path = text, *command = text + size / 2;
    struct audit_line written = {
        .time = (char[]){"2026-01-02T03:04:05.678Z"},
        .scope = (char[]){"fuzz"},
        .operation = (char[]){"open"},
        .path = path,
        .wanted = (char[]){"write"},
        .level = (char[]){"read"},
        .decider = path,
        .rule = command,
        .error = (char[]){"EACCES"},
        .command = command,
        .process = 1,
        .repeats = size,
    };
    struct audit_line read;
    cleanup_strbuf struct strbuf line = {0};
    audit_line_write(&written, &line);
    fuzz_check(memchr(line.bytes, '\n', line.length) == line.bytes + line.length - 1,
               "not just one line");
    fuzz_check(audit_line_parse(line.bytes, &read), "what was written is not read: %s", line.bytes);
    fuzz_check(strcmp(read.path, path) == 0 && strcmp(read.command, command) == 0 &&
                   strcmp(read.rule, command) == 0 && read.repeats == size,
               "it is read as something else: %s", line.bytes);
    check_description(&read);
    audit_line_free(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_free char *text = xmemdup0(data, size);
    check_records(text, size);
    check_text(text);
    check_names(text, size);
    return 0;
}
