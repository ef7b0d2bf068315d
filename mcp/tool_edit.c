/* edit_file: exact text is replaced, and everything else stays as it is. */
#include "diff.h"
#include "scopefs/mem.h"
#include "stamps.h"
#include "text.h"
#include "tools.h"
#include "workspace.h"

#include <string.h>

/* Of the difference that a result shows. */
#define DIFF_LIMIT (64U * 1024U)

const struct argument edit_file_arguments[] = {
    {"path", NULL, ARGUMENT_PATH, true, .help = "The file"},
    {"old_string", NULL, ARGUMENT_TEXT,
     .help = "The text to replace, exactly as it is in the file; it must be there once"},
    {"new_string", NULL, ARGUMENT_TEXT, .help = "What takes its place"},
    {"replace_all", NULL, ARGUMENT_FLAG, .fallback = "false", .help = "Replace it wherever it is"},
    {"edits", NULL, ARGUMENT_EDITS, .minimum = 1, .maximum = 1000,
     .help = "Several edits, made one after the other, all or none; in place of old_string"},
    {"dry_run", "dryRun", ARGUMENT_FLAG, .fallback = "false", .help = "Only show the difference"},
    {0},
};

struct edit {
    struct strbuf old, new;
    bool all;
};

static void free_edit(struct edit *edit)
{
    strbuf_free(&edit->old);
    strbuf_free(&edit->new);
}

static size_t count_in(const struct strbuf *text, const struct strbuf *wanted)
{
    size_t count = 0;
    const char *at = text->bytes, *end = text->bytes + text->length;
    while (at && (at = memmem(at, (size_t)(end - at), wanted->bytes, wanted->length))) {
        at += wanted->length;
        count++;
    }
    return count;
}

/* Line ends as the file has them. */
static void use_crlf(struct strbuf *text)
{
    struct strbuf converted = {0};
    for (size_t i = 0; i < text->length; i++) {
        if (text->bytes[i] == '\n' && (i == 0 || text->bytes[i - 1] != '\r'))
            strbuf_add(&converted, "\r", 1);
        strbuf_add(&converted, text->bytes + i, 1);
    }
    strbuf_add(&converted, "", 0);
    strbuf_free(text);
    *text = converted;
}

/* A client seldom sees that lines end with CRLF, so it need not write it. */
static void fit_line_ends(const struct strbuf *text, struct edit *edit)
{
    bool file_has = memmem(text->bytes, text->length, "\r\n", 2) != NULL;
    bool lone = false;
    for (size_t i = 0; i < text->length && !lone; i++)
        lone = text->bytes[i] == '\n' && (i == 0 || text->bytes[i - 1] != '\r');
    if (!file_has || (lone && count_in(text, &edit->old) > 0))
        return;
    use_crlf(&edit->old);
    use_crlf(&edit->new);
}

static void replace_in(struct strbuf *text, const struct edit *edit)
{
    struct strbuf result = {0};
    const char *at = text->bytes, *end = text->bytes + text->length, *found;
    while ((found = memmem(at, (size_t)(end - at), edit->old.bytes, edit->old.length))) {
        strbuf_add(&result, at, (size_t)(found - at));
        strbuf_add(&result, edit->new.bytes, edit->new.length);
        at = found + edit->old.length;
        if (!edit->all)
            break;
    }
    strbuf_add(&result, at, (size_t)(end - at));
    strbuf_free(text);
    *text = result;
}

/* How often it was replaced, or 0 with the call failed. */
static size_t make_edit(struct call *call, const char *name, size_t number, struct edit *edit,
                        struct strbuf *text)
{
    if (edit->old.length == 0) {
        call_fail(call, CODE_INVALID_ARGUMENTS, name, NULL,
                  "edit %zu: old_string is empty; write_file makes new files", number);
        return 0;
    }
    fit_line_ends(text, edit);
    size_t count = count_in(text, &edit->old);
    if (count == 0)
        call_fail(call, CODE_NO_MATCH, name, NULL,
                  "edit %zu: old_string is not in %s, exactly as it is written", number, name);
    else if (count > 1 && !edit->all)
        call_fail(call, CODE_NOT_UNIQUE, name, NULL,
                  "edit %zu: old_string is %zu times in %s; give more of what is around it, or set "
                  "replace_all",
                  number, count, name);
    else
        replace_in(text, edit);
    return call->failure ? 0 : count;
}

static void add_value(struct strbuf *text, const json_t *value)
{
    strbuf_add(text, json_string_value(value), json_string_length(value));
}

static size_t edit_by(struct call *call, const char *name, size_t number, json_t *source,
                      struct strbuf *text)
{
    __attribute__((cleanup(free_edit))) struct edit edit = {0};
    add_value(&edit.old, json_object_get(source, "old_string"));
    add_value(&edit.new, json_object_get(source, "new_string"));
    edit.all = json_is_true(json_object_get(source, "replace_all"));
    return make_edit(call, name, number, &edit, text);
}

/* All edits, in their order. How many replacements, or 0 with the call failed. */
static size_t edit_text(struct call *call, const char *name, struct strbuf *text)
{
    size_t index, total = 0;
    json_t *edit;
    json_t *edits = call_value(call, "edits");
    if (!edits)
        return edit_by(call, name, 1, call->arguments, text);
    json_array_foreach(edits, index, edit)
    {
        size_t count = edit_by(call, name, index + 1, edit, text);
        if (count == 0)
            return 0;
        total += count;
    }
    return total;
}

static bool check_arguments(struct call *call)
{
    bool one = call_has(call, "old_string") && call_has(call, "new_string");
    bool some = call_has(call, "old_string") || call_has(call, "new_string");
    if (call_has(call, "edits") ? !some : one)
        return true;
    call_fail(call, CODE_INVALID_ARGUMENTS, NULL, NULL,
              "give old_string and new_string, or edits, and not both");
    return false;
}

static void present(struct call *call, const char *name, size_t count, const struct strbuf *old,
                    const struct strbuf *changed)
{
    cleanup_strbuf struct strbuf diff = {0};
    bool is_dry = call_flag(call, "dry_run");
    diff_add(&diff, name, old, changed);
    size_t shown = diff.length > DIFF_LIMIT ? text_cut(diff.bytes, DIFF_LIMIT) : diff.length;
    strbuf_add_format(&call->text, "%s %zu %s in %s\n", is_dry ? "Would make" : "Made", count,
                      count == 1 ? "replacement" : "replacements", name);
    strbuf_add(&call->text, diff.bytes ? diff.bytes : "", shown);
    if (shown < diff.length)
        strbuf_add_format(&call->text, "\n[truncated, %zu more bytes; read_file shows the file]\n",
                          diff.length - shown);
    call->structured =
        json_pack("{s:o, s:I, s:b, s:b}", "path", json_name(name, strlen(name)), "replacements",
                  (json_int_t)count, "dry_run", is_dry, "truncated", shown < diff.length);
    json_object_set_new(call->structured, "diff",
                        json_stringn(diff.bytes ? diff.bytes : "", shown));
}

static void save(struct call *call, const char *path, enum encoding encoding,
                 const struct strbuf *text, const struct stat *status)
{
    cleanup_strbuf struct strbuf bytes = {0};
    cleanup_free char *name = workspace_name(call, path);
    struct stat saved;
    if (!text_encode(encoding, text->bytes, text->length, &bytes))
        call_fail(call, CODE_INVALID_ARGUMENTS, name, NULL,
                  "%s is in %s, which does not have a character of the new text", name,
                  encoding_names[encoding]);
    else if (workspace_store(call, path, &bytes, status, &saved) == 0)
        stamps_set(call->address.session, path, &saved);
}

static void edit(struct call *call, const char *path, const struct strbuf *bytes,
                 const struct stat *status)
{
    cleanup_strbuf struct strbuf old = {0}, text = {0};
    cleanup_free char *name = workspace_name(call, path);
    enum encoding encoding = text_encoding(bytes->bytes, bytes->length);
    if (encoding == ENCODING_BINARY) {
        call_fail(call, CODE_NOT_A_FILE, name, NULL, "%s: it is no text", name);
        return;
    }
    strbuf_add(&old, "", 0);
    text_decode(encoding, bytes->bytes, bytes->length, &old);
    strbuf_add(&text, old.bytes, old.length);
    size_t count = edit_text(call, name, &text);
    if (count && !call_flag(call, "dry_run"))
        save(call, path, encoding, &text, status);
    if (!call->failure)
        present(call, name, count, &old, &text);
}

void tool_edit_file(struct call *call)
{
    cleanup_strbuf struct strbuf bytes = {0};
    struct stat status;
    cleanup_free char *path =
        check_arguments(call) ? workspace_path(call, call_text(call, "path")) : NULL;
    strbuf_add(&bytes, "", 0);
    if (!path || workspace_load(call, path, WORKSPACE_FILE_LIMIT, &bytes, &status) < 0)
        return;
    cleanup_free char *name = workspace_name(call, path);
    if (stamps_fit(call->address.session, path, &status))
        edit(call, path, &bytes, &status);
    else
        call_fail(call, CODE_CHANGED, name, NULL,
                  "%s: it was changed since it was read; read it again", name);
}
