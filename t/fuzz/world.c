#include "world.h"

#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char world_canary[] = "CANARY-71c9e0a2";
const char world_hidden_name[] = "hidden-5fd81c";

const char *const world_rules[] = {
    "write=/w", "read=/r",       "view=/v",         "none=hidden-*",
    "none=/p",  "read=/p/shown", "none=/w/d/below", NULL,
};

/* In the order in which they are made. */
static const struct {
    const char *path;
    enum { FOLDER, PLAIN, CANARY, LINK } kind;
    bool must_stay; /* with all its attributes and its content */
} objects[] = {
    {"outside", FOLDER, true},          {"outside/f", CANARY, true},
    {"source", FOLDER, true},           {"source/w", FOLDER, false},
    {"source/w/f", PLAIN, false},       {"source/w/g", PLAIN, false},
    {"source/w/d", FOLDER, false},      {"source/w/d/x", PLAIN, false},
    {"source/w/d/below", CANARY, true}, {"source/w/hidden-5fd81c", CANARY, true},
    {"source/w/link", LINK, false},     {"source/r", FOLDER, true},
    {"source/r/f", PLAIN, true},        {"source/v", FOLDER, true},
    {"source/v/f", CANARY, true},       {"source/h", FOLDER, true},
    {"source/h/f", CANARY, true},       {"source/p", FOLDER, true},
    {"source/p/shown", PLAIN, true},    {"source/p/other", CANARY, true},
};

enum { OBJECTS = sizeof(objects) / sizeof(objects[0]) };

static char folder[128];
static bool made;
static char paths[OBJECTS][256];
static struct stat as_made[OBJECTS];

static void must(long result, const char *what)
{
    fuzz_check(result >= 0, "%s: %s", what, strerror(errno));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)walk;
    if (type == FTW_DNR)
        chmod(path, 0700);
    return remove(path);
}

/* Modes may have been changed so that a folder cannot be listed. */
static int open_up(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)walk;
    if (type == FTW_D || type == FTW_DNR)
        chmod(path, 0700);
    return 0;
}

static void remove_tree(const char *path)
{
    nftw(path, open_up, 16, FTW_PHYS);
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void remove_folder(void)
{
    remove_tree(folder);
}

static void make_folder(void)
{
    const char *place = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/scopefs-fuzz-XXXXXX", place ? place : "/tmp");
    must(mkdtemp(folder) ? 0 : -1, folder);
    atexit(remove_folder);
    made = true;
    for (size_t i = 0; i < OBJECTS; i++)
        snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, objects[i].path);
}

static void clear_folder(void)
{
    for (size_t i = 0; i < OBJECTS; i++)
        if (!strchr(objects[i].path, '/'))
            remove_tree(paths[i]);
}

static void make_file(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    must(fd, path);
    must(write(fd, content, strlen(content)), path);
    close(fd);
}

static void make_object(size_t number)
{
    const char *path = paths[number];
    switch (objects[number].kind) {
    case FOLDER:
        must(mkdir(path, 0755), path);
        break;
    case PLAIN:
        make_file(path, "content\n");
        break;
    case CANARY:
        make_file(path, world_canary);
        break;
    case LINK:
        must(symlink("../h/f", path), path);
        break;
    }
}

static bool has_content(const char *path, const char *content)
{
    char found[64] = "";
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, found, sizeof(found) - 1);
    if (fd >= 0)
        close(fd);
    return got >= 0 && strcmp(found, content) == 0;
}

static bool is_as_made(size_t number)
{
    struct stat now;
    const struct stat *before = &as_made[number];
    const char *path = paths[number];
    if (lstat(path, &now) < 0 || now.st_ino != before->st_ino || now.st_mode != before->st_mode ||
        now.st_nlink != before->st_nlink || now.st_uid != before->st_uid ||
        now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != before->st_mtim.tv_nsec ||
        now.st_ctim.tv_sec != before->st_ctim.tv_sec ||
        now.st_ctim.tv_nsec != before->st_ctim.tv_nsec)
        return false;
    switch (objects[number].kind) {
    case PLAIN:
        return has_content(path, "content\n");
    case CANARY:
        return has_content(path, world_canary);
    default:
        return true;
    }
}

/* Most inputs change nothing. */
static bool is_whole(void)
{
    for (size_t i = 0; i < OBJECTS; i++)
        if (!is_as_made(i))
            return false;
    return made;
}

static void make_objects(void)
{
    clear_folder();
    umask(022);
    for (size_t i = 0; i < OBJECTS; i++)
        make_object(i);
    umask(0);
    for (size_t i = 0; i < OBJECTS; i++)
        must(lstat(paths[i], &as_made[i]), paths[i]);
}

int world_make(void)
{
    if (!made)
        make_folder();
    if (!is_whole())
        make_objects();
    size_t source = 0;
    while (strcmp(objects[source].path, "source") != 0)
        source++;
    int fd = open(paths[source], O_PATH | O_DIRECTORY | O_CLOEXEC);
    must(fd, paths[source]);
    return fd;
}

/* Modes that may be changed must not keep an ordinary user from looking. */
static bool open_folder(size_t number)
{
    struct stat now;
    return lstat(paths[number], &now) == 0 &&
           (now.st_mode == as_made[number].st_mode || chmod(paths[number], 0755) == 0);
}

const char *world_changed(void)
{
    for (size_t i = 0; i < OBJECTS; i++)
        if (objects[i].kind == FOLDER && !open_folder(i))
            return objects[i].path;
    for (size_t i = 0; i < OBJECTS; i++)
        if (objects[i].must_stay && !is_as_made(i))
            return objects[i].path;
    return NULL;
}

bool world_betrayed_by(const void *bytes, size_t size)
{
    return memmem(bytes, size, world_canary, sizeof(world_canary) - 1) ||
           memmem(bytes, size, world_hidden_name, sizeof(world_hidden_name) - 1);
}
