#include "snapshot.h"

#include "attributes.h"

#include "scopefs/fd.h"
#include "scopefs/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Doubles the room of an array of `size`-byte elements for one more. 0 or ENOMEM. */
static int make_room(void *array_variable, size_t *room, size_t needed, size_t size)
{
    if (needed <= *room)
        return 0;
    size_t larger = *room ? *room * 2 : 64;
    while (larger < needed)
        larger *= 2;
    void **array = array_variable;
    void *moved = reallocarray(*array, larger, size);
    if (!moved)
        return ENOMEM;
    *array = moved;
    *room = larger;
    return 0;
}

/* While the names still move, an entry's `name` holds its offset in them. */
static int add_entry(struct snapshot *snapshot, const struct dirent *found)
{
    size_t length = strlen(found->d_name) + 1;
    int failed = make_room(&snapshot->entries, &snapshot->room, snapshot->count + 1,
                           sizeof(*snapshot->entries));
    if (!failed)
        failed = make_room(&snapshot->names, &snapshot->size, snapshot->used + length, 1);
    if (failed)
        return failed;
    memcpy(snapshot->names + snapshot->used, found->d_name, length);
    snapshot->entries[snapshot->count++] = (struct snapshot_entry){
        .inode = found->d_ino,
        .type = found->d_type == DT_UNKNOWN ? 0 : (mode_t)DTTOIF(found->d_type),
        .name = (const char *)snapshot->used,
    };
    snapshot->used += length;
    return 0;
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static bool is_directory(int fd, const struct dirent *found)
{
    struct stat attributes;
    struct identity identity;
    if (found->d_type != DT_UNKNOWN)
        return found->d_type == DT_DIR;
    return attributes_read(fd, found->d_name, &attributes, &identity) == 0 &&
           S_ISDIR(attributes.st_mode);
}

static bool may_be_seen(int fd, const struct state *state, const struct dirent *found)
{
    if (is_dots(found->d_name))
        return true;
    const struct state *own = state_step(state, found->d_name, strlen(found->d_name));
    if (state_level(own) > LEVEL_NONE)
        return true;
    return state_is_way_through(own) && is_directory(fd, found);
}

static int read_entries(DIR *directory, const struct state *state, struct snapshot *snapshot)
{
    for (;;) {
        errno = 0;
        const struct dirent *found = readdir(directory);
        if (!found)
            return errno;
        if (!may_be_seen(dirfd(directory), state, found))
            continue;
        int failed = add_entry(snapshot, found);
        if (failed)
            return failed;
    }
}

/* "." and ".." come first. */
static off_t cookie_of(const struct snapshot_entry *entry)
{
    enum { BITS = 62 };
    if (is_dots(entry->name))
        return entry->name[1] ? 2 : 1;
    return (off_t)(hash_bytes(HASH_START, entry->name, strlen(entry->name)) &
                   ((UINT64_C(1) << BITS) - 1)) +
           3;
}

static int compare_cookies(const void *left, const void *right)
{
    const struct snapshot_entry *one = left, *other = right;
    if (one->cookie != other->cookie)
        return one->cookie < other->cookie ? -1 : 1;
    return strcmp(one->name, other->name);
}

/* The names have their place by now. */
static void put_in_order(struct snapshot *snapshot)
{
    struct snapshot_entry *entries = snapshot->entries;
    for (size_t i = 0; i < snapshot->count; i++) {
        entries[i].name = snapshot->names + (size_t)entries[i].name;
        entries[i].cookie = cookie_of(&entries[i]);
    }
    if (snapshot->count > 1)
        qsort(entries, snapshot->count, sizeof(*entries), compare_cookies);
    for (size_t i = 1; i < snapshot->count; i++)
        if (entries[i].cookie <= entries[i - 1].cookie)
            entries[i].cookie = entries[i - 1].cookie + 1;
}

static void free_snapshot(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    free(snapshot->entries);
    free(snapshot->names);
    free(snapshot);
}

int snapshot_take(int fd, const struct state *state, struct snapshot **result)
{
    cleanup_fd int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (!directory)
        return errno == EMFILE ? ENFILE : errno;
    fd_steal(&copy);
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    int failed = snapshot ? read_entries(directory, state, snapshot) : ENOMEM;
    closedir(directory);
    if (failed) {
        free_snapshot(snapshot);
        return failed;
    }
    put_in_order(snapshot);
    atomic_init(&snapshot->holds, 1);
    *result = snapshot;
    return 0;
}

size_t snapshot_bytes(const struct snapshot *snapshot)
{
    if (!snapshot)
        return 0;
    return sizeof(*snapshot) + snapshot->room * sizeof(*snapshot->entries) + snapshot->size;
}

struct snapshot *snapshot_hold(struct snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->holds, 1);
    return snapshot;
}

void snapshot_put(struct snapshot *snapshot)
{
    if (snapshot && atomic_fetch_sub(&snapshot->holds, 1) == 1)
        free_snapshot(snapshot);
}

size_t snapshot_after(const struct snapshot *snapshot, off_t offset)
{
    size_t low = 0, high = snapshot->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot->entries[middle].cookie <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
