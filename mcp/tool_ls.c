/* ls: what is in a directory. */
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "tools.h"
#include "workspace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const char *const sort_choices[] = {"name", "size", "time", NULL};

const struct argument ls_arguments[] = {
    {"path", NULL, ARGUMENT_PATH, .fallback = "\".\"", .help = "The directory"},
    {"sort_by", "sortBy", ARGUMENT_CHOICE, .fallback = "\"name\"", .choices = sort_choices,
     .help = "The order: by name, the largest first, or the latest change first"},
    {"offset", NULL, ARGUMENT_WHOLE, .fallback = "0", .maximum = 100000000,
     .help = "Entries to skip"},
    {"limit", NULL, ARGUMENT_WHOLE, .fallback = "1000", .minimum = 1, .maximum = 10000,
     .help = "Entries to list at most"},
    {0},
};

struct entry {
    char *name;
    struct stat status;
};

struct listing {
    struct entry *entries;
    size_t count, room;
};

static void free_listing(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->entries[i].name);
    free(listing->entries);
}

static void add_entry(struct listing *listing, int directory, const char *name)
{
    struct stat status;
    /* What is gone by now was not there. */
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (listing->count == listing->room) {
        listing->room = listing->room ? 2 * listing->room : 64;
        listing->entries =
            xreallocarray(listing->entries, listing->room, sizeof(*listing->entries));
    }
    listing->entries[listing->count++] = (struct entry){xstrdup(name), status};
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct entry *)one)->name, ((const struct entry *)other)->name);
}

static int by_size(const void *one, const void *other)
{
    off_t first = ((const struct entry *)one)->status.st_size;
    off_t second = ((const struct entry *)other)->status.st_size;
    return first == second ? by_name(one, other) : first < second ? 1 : -1;
}

static int by_time(const void *one, const void *other)
{
    const struct timespec *first = &((const struct entry *)one)->status.st_mtim;
    const struct timespec *second = &((const struct entry *)other)->status.st_mtim;
    if (first->tv_sec != second->tv_sec)
        return first->tv_sec < second->tv_sec ? 1 : -1;
    if (first->tv_nsec != second->tv_nsec)
        return first->tv_nsec < second->tv_nsec ? 1 : -1;
    return by_name(one, other);
}

static int read_directory(struct call *call, const char *path, struct listing *listing)
{
    int fd = workspace_need(call, path, O_RDONLY | O_DIRECTORY, "view");
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    if (!directory)
        return -1;
    for (struct dirent *found; (found = readdir(directory));)
        add_entry(listing, fd, found->d_name);
    closedir(directory);
    return 0;
}

static void add_line(struct call *call, const struct entry *entry)
{
    bool is_directory = S_ISDIR(entry->status.st_mode);
    size_t length = strlen(entry->name);
    json_t *name = json_name(entry->name, length);
    strbuf_add_text(&call->text, json_string_value(name));
    if (is_directory)
        strbuf_add_text(&call->text, "/\n");
    else if (S_ISREG(entry->status.st_mode))
        strbuf_add_format(&call->text, " (%lld bytes)\n", (long long)entry->status.st_size);
    else
        strbuf_add_format(&call->text, " (%s)\n", workspace_kind(entry->status.st_mode));
    json_t *item = json_object();
    json_object_set_new(item, "name", name);
    json_object_set_new(item, "type", json_string(workspace_kind(entry->status.st_mode)));
    if (!is_directory)
        json_object_set_new(item, "size", json_integer(entry->status.st_size));
    json_object_set_new(item, "modified", json_integer(entry->status.st_mtim.tv_sec));
    json_array_append_new(json_object_get(call->structured, "entries"), item);
}

static void present(struct call *call, const char *path, struct listing *listing)
{
    const char *order = call_text(call, "sort_by");
    size_t offset = (size_t)call_number(call, "offset");
    size_t limit = (size_t)call_number(call, "limit");
    cleanup_free char *name = workspace_name(call, path);
    if (listing->count)
        qsort(listing->entries, listing->count, sizeof(*listing->entries),
              strcmp(order, "size") == 0   ? by_size
              : strcmp(order, "time") == 0 ? by_time
                                           : by_name);
    call->structured = json_pack("{s:o, s:[], s:I, s:b}", "path", json_name(name, strlen(name)),
                                 "entries", "total", (json_int_t)listing->count, "truncated", 0);
    size_t at = offset;
    for (; at < listing->count && at < offset + limit; at++)
        add_line(call, &listing->entries[at]);
    if (listing->count == 0)
        strbuf_add_text(&call->text, "(nothing is in it, or nothing that is visible)\n");
    if (at >= listing->count)
        return;
    strbuf_add_format(&call->text, "[truncated, %zu more; offset=%zu lists on]\n",
                      listing->count - at, at);
    json_object_set_new(call->structured, "truncated", json_true());
    json_object_set_new(call->structured, "next_offset", json_integer((json_int_t)at));
}

void tool_ls(struct call *call)
{
    __attribute__((cleanup(free_listing))) struct listing listing = {0};
    cleanup_free char *path = workspace_path(call, call_text(call, "path"));
    if (path && read_directory(call, path, &listing) == 0)
        present(call, path, &listing);
}
