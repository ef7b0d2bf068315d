/* file_info, permissions and list_allowed_directories. */
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "tools.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct argument file_info_arguments[] = {
    {"path", NULL, ARGUMENT_PATH, true, .help = "The file or directory"},
    {0},
};

const struct argument permissions_arguments[] = {
    {"path", NULL, ARGUMENT_PATH, .fallback = "\".\"", .help = "The file or directory"},
    {0},
};

const struct argument list_allowed_directories_arguments[] = {{0}};

/* --- file_info --- */

static json_t *time_text(const struct timespec *moment)
{
    struct tm parts;
    char text[64] = "";
    if (gmtime_r(&moment->tv_sec, &parts))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return json_string(text);
}

static void add_target(struct call *call, const char *path, json_t *info)
{
    char target[PATH_MAX];
    const char *last;
    cleanup_fd int parent = workspace_parent(call, path, &last);
    ssize_t length = parent < 0 ? -1 : readlinkat(parent, last, target, sizeof(target));
    if (length >= 0)
        json_object_set_new(info, "target", json_name(target, (size_t)length));
}

static void add_lines(struct call *call, json_t *info)
{
    const char *key;
    json_t *value;
    json_object_foreach(info, key, value)
    {
        if (json_is_integer(value))
            strbuf_add_format(&call->text, "%s: %lld\n", key, (long long)json_integer_value(value));
        else
            strbuf_add_format(&call->text, "%s: %s\n", key, json_string_value(value));
    }
}

void tool_file_info(struct call *call)
{
    struct stat status;
    cleanup_free char *path = workspace_path(call, call_text(call, "path"));
    if (!path)
        return;
    cleanup_free char *name = workspace_name(call, path);
    if (workspace_status(call, path, &status) < 0) {
        call_fail_errno(call, errno, name, "view");
        return;
    }
    json_t *info =
        json_pack("{s:o, s:s, s:I, s:o, s:s}", "path", json_name(name, strlen(name)), "type",
                  workspace_kind(status.st_mode), "size", (json_int_t)status.st_size, "mode",
                  json_sprintf("%04o", (unsigned)status.st_mode & 07777), "level",
                  workspace_level(call, path, &status));
    json_object_set_new(info, "modified", time_text(&status.st_mtim));
    json_object_set_new(info, "accessed", time_text(&status.st_atim));
    json_object_set_new(info, "changed", time_text(&status.st_ctim));
    if (S_ISLNK(status.st_mode))
        add_target(call, path, info);
    call->structured = info;
    add_lines(call, info);
}

/* --- permissions --- */

static const struct {
    const char *level, *meaning;
} meanings[] = {
    {"none", "There is nothing at this path that you can see."},
    {"view", "It is listed, and its contents can neither be read nor changed."},
    {"read", "It can be read, and neither changed, renamed nor removed."},
    {"write", "It can be read, changed, renamed and removed."},
};

void tool_permissions(struct call *call)
{
    struct stat status;
    cleanup_free char *path = workspace_path(call, call_text(call, "path"));
    if (!path)
        return;
    cleanup_free char *name = workspace_name(call, path);
    bool exists = workspace_status(call, path, &status) == 0;
    const char *level = exists ? workspace_level(call, path, &status) : "none";
    size_t row = 0;
    while (strcmp(meanings[row].level, level) != 0)
        row++;
    strbuf_add_format(&call->text, "%s: %s\n%s\n", name, level, meanings[row].meaning);
    if (exists && S_ISDIR(status.st_mode))
        strbuf_add_text(&call->text, "What is below it can have other levels. To make something "
                                     "new, its own path needs the level write.\n");
    call->structured =
        json_pack("{s:o, s:s, s:s, s:b}", "path", json_name(name, strlen(name)), "level", level,
                  "meaning", meanings[row].meaning, "exists", exists);
}

/* --- list_allowed_directories --- */

void tool_list_allowed_directories(struct call *call)
{
    const char *workspace = call->address.session->server->settings.workspace;
    strbuf_add_format(&call->text, "Allowed directories:\n%s\n", workspace);
    call->structured = json_pack("{s:[s]}", "directories", workspace);
}
