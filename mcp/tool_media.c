/* read_media_file and read_multiple_files. */
#include "media.h"
#include "scopefs/mem.h"
#include "stamps.h"
#include "text.h"
#include "tools.h"
#include "workspace.h"

#include <string.h>

#define MEDIA_LIMIT (16U << 20)
/* Of all files of one call together. */
#define TEXTS_LIMIT (1U << 20)

const struct argument read_media_file_arguments[] = {
    {"path", NULL, ARGUMENT_PATH, true, .help = "The file"},
    {0},
};

const struct argument read_multiple_files_arguments[] = {
    {"paths", NULL, ARGUMENT_PATHS, true, .minimum = 1, .maximum = 100, .help = "The files"},
    {0},
};

/* --- read_media_file --- */

/* Contents of the three kinds that the protocol has. Takes over `data`. */
static json_t *media_content(const struct call *call, const char *name, const char *type,
                             json_t *data)
{
    bool is_image = strncmp(type, "image/", 6) == 0;
    /* Sound came with the second revision. */
    bool is_sound = strncmp(type, "audio/", 6) == 0 && call_has_feature(call, FEATURE_ANNOTATIONS);
    if (is_image || is_sound)
        return json_pack("{s:s, s:o, s:s}", "type", is_image ? "image" : "audio", "data", data,
                         "mimeType", type);
    cleanup_free char *address = xasprintf("file://%s", name);
    return json_pack("{s:s, s:{s:o, s:s, s:o}}", "type", "resource", "resource", "uri",
                     json_name(address, strlen(address)), "mimeType", type, "blob", data);
}

void tool_read_media_file(struct call *call)
{
    cleanup_strbuf struct strbuf bytes = {0};
    struct stat status;
    cleanup_free char *path = workspace_path(call, call_text(call, "path"));
    if (!path || workspace_load(call, path, MEDIA_LIMIT, &bytes, &status) < 0)
        return;
    cleanup_free char *name = workspace_name(call, path);
    const char *type = media_type(name);
    call->more = json_array();
    json_array_append_new(call->more,
                          media_content(call, name, type, media_base64(bytes.bytes, bytes.length)));
    call->structured = json_pack("{s:o, s:s, s:I}", "path", json_name(name, strlen(name)),
                                 "mime_type", type, "bytes", (json_int_t)bytes.length);
}

/* --- read_multiple_files --- */

/* What is wrong with one file does not keep the others from being read: its failure becomes its
 * text. */
static void take_failure(struct call *call, json_t *item)
{
    strbuf_add_format(&call->text, "[%s: %s]\n",
                      json_string_value(json_object_get(call->failure, "code")),
                      json_string_value(json_object_get(call->failure, "message")));
    json_object_set(item, "error", call->failure);
    json_decref(call->failure);
    call->failure = NULL;
}

static void add_text(struct call *call, json_t *item, const struct strbuf *text)
{
    size_t room = call->text.length < TEXTS_LIMIT ? TEXTS_LIMIT - call->text.length : 0;
    size_t shown = text->length > room ? text_cut(text->bytes, room) : text->length;
    strbuf_add(&call->text, text->bytes, shown);
    if (shown && text->bytes[shown - 1] != '\n')
        strbuf_add(&call->text, "\n", 1);
    if (shown < text->length)
        strbuf_add_format(&call->text, "[truncated, %zu more bytes; read_file reads it in parts]\n",
                          text->length - shown);
    json_object_set_new(item, "content", json_stringn(shown ? text->bytes : "", shown));
    json_object_set_new(item, "truncated", json_boolean(shown < text->length));
}

static void read_one(struct call *call, const char *given)
{
    cleanup_strbuf struct strbuf bytes = {0}, text = {0};
    struct stat status;
    cleanup_free char *path = workspace_path(call, given);
    cleanup_free char *name = path ? workspace_name(call, path) : xstrdup(given);
    json_t *item = json_pack("{s:o}", "path", json_name(name, strlen(name)));
    strbuf_add_format(&call->text, "%s%s:\n", call->text.length ? "---\n" : "",
                      json_string_value(json_object_get(item, "path")));
    if (path && workspace_load(call, path, WORKSPACE_FILE_LIMIT, &bytes, &status) == 0) {
        enum encoding encoding = text_encoding(bytes.bytes, bytes.length);
        if (encoding == ENCODING_BINARY) {
            call_fail(call, CODE_NOT_A_FILE, name, NULL, "%s: it is no text", name);
        } else {
            text_decode(encoding, bytes.bytes, bytes.length, &text);
            stamps_set(call->address.session, path, &status);
            add_text(call, item, &text);
        }
    }
    if (call->failure)
        take_failure(call, item);
    json_array_append_new(json_object_get(call->structured, "files"), item);
}

void tool_read_multiple_files(struct call *call)
{
    size_t index;
    json_t *given;
    json_t *paths = call_value(call, "paths");
    call->structured = json_pack("{s:[]}", "files");
    json_array_foreach(paths, index, given)
    {
        if (call_is_cancelled(call))
            return;
        read_one(call, json_string_value(given));
    }
}
