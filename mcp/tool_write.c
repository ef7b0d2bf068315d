/* write_file, create_directory, move_file and delete. */
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "stamps.h"
#include "tools.h"
#include "workspace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct argument write_file_arguments[] = {
    {"path", NULL, ARGUMENT_PATH, true, .help = "The file"},
    {"content", NULL, ARGUMENT_TEXT, true, .help = "All that is to be in it"},
    {0},
};

const struct argument create_directory_arguments[] = {
    {"path", NULL, ARGUMENT_PATH, true, .help = "The directory; those above it are made too"},
    {0},
};

const struct argument move_file_arguments[] = {
    {"source", NULL, ARGUMENT_PATH, true, .help = "What is to be moved or renamed"},
    {"destination", NULL, ARGUMENT_PATH, true, .help = "Its new path, where nothing is yet"},
    {0},
};

const struct argument delete_arguments[] = {
    {"path", NULL, ARGUMENT_PATH, true, .help = "What is to be deleted"},
    {"recursive", NULL, ARGUMENT_FLAG, .fallback = "false",
     .help = "A directory with all that is in it"},
    {0},
};

/* --- write_file --- */

static size_t count_lines(const struct strbuf *text)
{
    size_t count = 0;
    const char *at = text->bytes, *end = text->bytes + text->length;
    for (; at && at < end; count++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : NULL;
    }
    return count;
}

void tool_write_file(struct call *call)
{
    struct stat status;
    cleanup_free char *path = workspace_path(call, call_text(call, "path"));
    cleanup_strbuf struct strbuf bytes = {0};
    strbuf_add(&bytes, call_text(call, "content"), call_text_length(call, "content"));
    if (!path || workspace_make_parents(call, path) < 0 ||
        workspace_store(call, path, &bytes, NULL, &status) < 0)
        return;
    cleanup_free char *name = workspace_name(call, path);
    stamps_set(call->address.session, path, &status);
    strbuf_add_format(&call->text, "Wrote %zu lines (%zu bytes) to %s\n", count_lines(&bytes),
                      bytes.length, name);
    call->structured = json_pack("{s:o, s:I}", "path", json_name(name, strlen(name)), "bytes",
                                 (json_int_t)bytes.length);
}

/* --- create_directory --- */

void tool_create_directory(struct call *call)
{
    const char *last;
    struct stat status;
    cleanup_free char *path = workspace_path(call, call_text(call, "path"));
    if (!path || workspace_make_parents(call, path) < 0)
        return;
    cleanup_free char *name = workspace_name(call, path);
    cleanup_fd int parent = workspace_parent(call, path, &last);
    bool is_new = parent >= 0 && mkdirat(parent, last, 0755) == 0;
    int number = errno;
    bool is_there = workspace_status(call, path, &status) == 0 && S_ISDIR(status.st_mode);
    if (!is_new && !(number == EEXIST && is_there)) {
        call_fail_errno(call, number, name, "write");
        return;
    }
    strbuf_add_format(&call->text, is_new ? "Created %s\n" : "%s was there already\n", name);
    call->structured =
        json_pack("{s:o, s:b}", "path", json_name(name, strlen(name)), "created", is_new);
}

/* --- move_file --- */

/* What the tables of errors cannot say, because it depends on the two paths. */
static void fail_move(struct call *call, int number, const char *source, const char *destination)
{
    struct stat status;
    cleanup_free char *from = workspace_name(call, source);
    cleanup_free char *to = workspace_name(call, destination);
    if (number == EXDEV)
        call_fail(call, CODE_NOT_PERMITTED, from, NULL,
                  "%s cannot be moved to %s at once, because other rules hold below it there; copy "
                  "what is permitted",
                  from, to);
    else if (number == EEXIST)
        call_fail_errno(call, number, to, NULL);
    else if (number == ENOENT && workspace_status(call, source, &status) == 0)
        call_fail_errno(call, EACCES, to, "write");
    else
        call_fail_errno(call, number, from, "write");
}

void tool_move_file(struct call *call)
{
    struct stat status;
    const char *old_last, *new_last;
    cleanup_free char *source = workspace_path(call, call_text(call, "source"));
    cleanup_free char *destination =
        source ? workspace_path(call, call_text(call, "destination")) : NULL;
    if (!destination)
        return;
    if (workspace_status(call, source, &status) < 0) {
        fail_move(call, errno, source, destination);
        return;
    }
    if (workspace_make_parents(call, destination) < 0)
        return;
    cleanup_fd int from = workspace_need_parent(call, source, &old_last);
    cleanup_fd int to = from < 0 ? -1 : workspace_need_parent(call, destination, &new_last);
    if (to < 0)
        return;
    if (renameat2(from, old_last, to, new_last, RENAME_NOREPLACE) < 0) {
        fail_move(call, errno, source, destination);
        return;
    }
    stamps_forget(call->address.session, source);
    cleanup_free char *old_name = workspace_name(call, source);
    cleanup_free char *new_name = workspace_name(call, destination);
    strbuf_add_format(&call->text, "Moved %s to %s\n", old_name, new_name);
    call->structured = json_pack("{s:o, s:o}", "source", json_name(old_name, strlen(old_name)),
                                 "destination", json_name(new_name, strlen(new_name)));
}

/* --- delete --- */

static int delete_below(struct call *call, int parent, const char *last, size_t *count);

static int delete_contents(struct call *call, int fd, size_t *count)
{
    DIR *directory = fdopendir(fd);
    if (!directory)
        return -1;
    int result = 0;
    for (struct dirent *found; result == 0 && (found = readdir(directory));)
        if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
            result = delete_below(call, dirfd(directory), found->d_name, count);
    int number = errno;
    closedir(directory);
    errno = number;
    return result;
}

/* Follows no link. 0, or -1 with errno. */
static int delete_below(struct call *call, int parent, const char *last, size_t *count)
{
    if (call_is_cancelled(call)) {
        errno = EINTR;
        return -1;
    }
    int fd = openat(parent, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool is_directory = fd >= 0;
    if (is_directory && delete_contents(call, fd, count) < 0)
        return -1;
    if (!is_directory && errno != ENOTDIR && errno != ELOOP)
        return -1;
    if (unlinkat(parent, last, is_directory ? AT_REMOVEDIR : 0) < 0)
        return -1;
    ++*count;
    return 0;
}

static int delete_one(struct call *call, int parent, const char *last, const struct stat *status,
                      size_t *count)
{
    if (S_ISDIR(status->st_mode) && call_flag(call, "recursive"))
        return delete_below(call, parent, last, count);
    if (unlinkat(parent, last, S_ISDIR(status->st_mode) ? AT_REMOVEDIR : 0) < 0)
        return -1;
    *count = 1;
    return 0;
}

void tool_delete(struct call *call)
{
    struct stat status;
    const char *last;
    size_t count = 0;
    cleanup_free char *path = workspace_path(call, call_text(call, "path"));
    cleanup_fd int parent = path ? workspace_need_parent(call, path, &last) : -1;
    if (parent < 0)
        return;
    cleanup_free char *name = workspace_name(call, path);
    if (fstatat(parent, last, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        delete_one(call, parent, last, &status, &count) < 0) {
        call_fail_errno(call, errno, name, "write");
        if (count)
            strbuf_add_format(&call->text, "%zu entries below it were deleted before\n", count);
        return;
    }
    stamps_forget(call->address.session, path);
    strbuf_add_format(&call->text, "Deleted %s (%zu in all)\n", name, count);
    call->structured = json_pack("{s:o, s:I}", "path", json_name(name, strlen(name)), "deleted",
                                 (json_int_t)count);
}
