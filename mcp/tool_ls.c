/* ls: what is in a directory. */
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "tools.h"
#include "workspace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* As it stands in the list, when nothing in it had to be escaped. */
static void add_shown_name(struct call *call, const char *listed, size_t length, const char *name)
{
    if (!memchr(listed, '\\', length)) {
        strbuf_add(&call->text, listed, length);
        return;
    }
    json_t *shown = json_name(name, strlen(name));
    strbuf_add_text(&call->text, json_string_value(shown));
    json_decref(shown);
}

/* Numbers are written by snprintf(3) into room on the stack: a listing has many. */
static void add_line(struct call *call, const struct entry *entry)
{
    char numbers[96];
    struct strbuf *list = &call->list;
    mode_t mode = entry->status.st_mode;
    size_t start = list->length;
    strbuf_add_text(list, start ? ",{\"name\":" : "\"entries\":[{\"name\":");
    size_t name = list->length + 1;
    json_add_name(list, entry->name, strlen(entry->name));
    add_shown_name(call, list->bytes + name, list->length - name - 1, entry->name);
    strbuf_add_text(list, ",\"type\":\"");
    strbuf_add_text(list, workspace_kind(mode));
    snprintf(numbers, sizeof(numbers), S_ISDIR(mode) ? "\"" : "\",\"size\":%lld",
             (long long)entry->status.st_size);
    strbuf_add_text(list, numbers);
    snprintf(numbers, sizeof(numbers), ",\"modified\":%lld}",
             (long long)entry->status.st_mtim.tv_sec);
    strbuf_add_text(list, numbers);
    if (S_ISREG(mode))
        snprintf(numbers, sizeof(numbers), " (%lld bytes)\n", (long long)entry->status.st_size);
    else if (S_ISDIR(mode))
        snprintf(numbers, sizeof(numbers), "/\n");
    else
        snprintf(numbers, sizeof(numbers), " (%s)\n", workspace_kind(mode));
    strbuf_add_text(&call->text, numbers);
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
    call->structured = json_pack("{s:o, s:I, s:b}", "path", json_name(name, strlen(name)), "total",
                                 (json_int_t)listing->count, "truncated", 0);
    size_t at = offset;
    for (; at < listing->count && at < offset + limit; at++)
        add_line(call, &listing->entries[at]);
    strbuf_add_text(&call->list, call->list.length ? "]" : "\"entries\":[]");
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
