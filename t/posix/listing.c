/*
 * A large directory is listed again and again while other processes empty and fill it: what stays
 * is in every listing, once. Usage: listing PLACE ENTRIES [OTHER_PLACE], where the changes are made
 * by way of the other place.
 */
#include "worker.h"

#include "../tap.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUNDS = 3 };

static unsigned entries;
static unsigned char *seen;

static bool is_kept(unsigned number)
{
    return number % 2 == 0;
}

static void create(int folder, unsigned number)
{
    char name[64];
    snprintf(name, sizeof(name), "%s-%u", is_kept(number) ? "kept" : "gone", number);
    if (mknodat(folder, name, S_IFREG | 0644, 0) < 0 && errno != EEXIST)
        die("cannot create %s", name);
}

/* Removes all that is not kept and makes it again, until it is killed. */
static long change(struct call *call)
{
    char name[64];
    int folder = open(call->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    for (unsigned round = 0;; round++) {
        for (unsigned i = (unsigned)call->flags; i < entries; i += 4) {
            snprintf(name, sizeof(name), "gone-%u", i);
            if (round % 2)
                create(folder, i);
            else if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
                return -1;
        }
    }
}

/* Lists it once, with a stat of some names in between as ls has it. */
static void list(const char *place, const char *how)
{
    unsigned missing = 0, doubled = 0, unknown = 0;
    struct stat found;
    DIR *directory = opendir(place);
    const struct dirent *entry;
    if (!directory)
        die("cannot list %s", place);
    memset(seen, 0, entries);
    errno = 0;
    while ((entry = readdir(directory))) {
        unsigned number;
        char kind[5];
        if (entry->d_name[0] == '.')
            continue;
        if (sscanf(entry->d_name, "%4[a-z]-%u", kind, &number) != 2 || number >= entries) {
            unknown++;
            continue;
        }
        doubled += seen[number]++ != 0;
        if (number % 8 == 0)
            fstatat(dirfd(directory), entry->d_name, &found, AT_SYMLINK_NOFOLLOW);
        errno = 0;
    }
    int failed = errno;
    closedir(directory);
    for (unsigned i = 0; i < entries; i += 2)
        missing += !seen[i];
    if (!ok(failed == 0 && missing == 0 && doubled == 0 && unknown == 0,
            "%u entries, %s: what stays is listed, and nothing twice", entries, how))
        diag("%u missing, %u doubled, %u unknown, %s", missing, doubled, unknown, strerror(failed));
}

static int empty(const char *place)
{
    DIR *directory = opendir(place);
    const struct dirent *entry;
    int left = 0;
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            left += unlinkat(dirfd(directory), entry->d_name, 0) != 0;
    rewinddir(directory);
    while ((entry = readdir(directory)))
        left += entry->d_name[0] != '.';
    closedir(directory);
    return left;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage: listing PLACE ENTRIES [OTHER_PLACE]");
    entries = (unsigned)strtoul(argv[2], NULL, 10);
    seen = calloc(entries, 1);
    int folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || !seen)
        die("cannot open %s", argv[1]);
    for (unsigned i = 0; i < entries; i++)
        create(folder, i);
    list(argv[1], "at rest");
    struct worker changers[2];
    for (int i = 0; i < 2; i++) {
        struct call call = {.function = change, .flags = 2 * i + 1};
        snprintf(call.path, sizeof(call.path), "%s", argc > 3 ? argv[3] : argv[1]);
        changers[i] = worker_start();
        worker_begin(&changers[i], &call);
    }
    for (int i = 0; i < ROUNDS; i++)
        list(argv[1], argc > 3 ? "emptied and filled from elsewhere" : "emptied and filled");
    bool alive = !worker_ended(&changers[0], 0) && !worker_ended(&changers[1], 0);
    ok(alive && worker_kill(&changers[0]) && worker_kill(&changers[1]),
       "%u entries: and they were changed all the while", entries);
    is_int(empty(argv[1]), 0, "%u entries: removed while they are listed, none is left", entries);
    close(folder);
    return done_testing();
}
