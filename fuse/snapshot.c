#include "snapshot.h"

#include "attributes.h"

#include "scopefs/fd.h"

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

static int by_inode(const void *left, const void *right)
{
    const struct snapshot_entry *one = left, *other = right;
    bool one_dots = is_dots(one->name), other_dots = is_dots(other->name);
    if (one_dots != other_dots)
        return one_dots ? -1 : 1;
    if (!one_dots && one->inode != other->inode)
        return one->inode < other->inode ? -1 : 1;
    return strcmp(one->name, other->name);
}

int snapshot_take(int fd, const struct state *state, struct snapshot **result)
{
    DIR *directory = fdopendir(fd);
    if (!directory) {
        int failed = errno;
        fd_close(&fd);
        return failed;
    }
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    int failed = snapshot ? read_entries(directory, state, snapshot) : ENOMEM;
    closedir(directory);
    if (failed) {
        snapshot_free(snapshot);
        return failed;
    }
    for (size_t i = 0; i < snapshot->count; i++)
        snapshot->entries[i].name = snapshot->names + (size_t)snapshot->entries[i].name;
    /* The source's order tells how many entries there are besides: ext4 lists a directory of one
     * block in another order than a larger one. */
    if (state_may_hide(state) && snapshot->count > 1)
        qsort(snapshot->entries, snapshot->count, sizeof(*snapshot->entries), by_inode);
    *result = snapshot;
    return 0;
}

size_t snapshot_bytes(const struct snapshot *snapshot)
{
    if (!snapshot)
        return 0;
    return sizeof(*snapshot) + snapshot->room * sizeof(*snapshot->entries) + snapshot->size;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    free(snapshot->entries);
    free(snapshot->names);
    free(snapshot);
}
