/*
 * Names of every length and content, paths longer than PATH_MAX, and positions in a listing. Usage
 * as of handles: names PLACE HOST.
 */
#include "worker.h"

#include "../tap.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int place_fd, host_fd;

static bool create(int folder, const char *name)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    return fd >= 0 && close(fd) == 0;
}

static DIR *list(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        die("cannot list %s", name);
    return directory;
}

static bool is_listed(int folder, const char *name)
{
    DIR *directory = list(folder, ".");
    const struct dirent *entry;
    bool found = false;
    while ((entry = readdir(directory)))
        found |= strcmp(entry->d_name, name) == 0;
    closedir(directory);
    return found;
}

static void works(const char *name, const char *what)
{
    char renamed[512];
    struct stat found;
    snprintf(renamed, sizeof(renamed), "%.200s.", name);
    bool good = create(place_fd, name) && is_listed(place_fd, name) && is_listed(host_fd, name) &&
                fstatat(host_fd, name, &found, 0) == 0 &&
                renameat(place_fd, name, place_fd, renamed) == 0 &&
                fstatat(host_fd, renamed, &found, 0) == 0 &&
                renameat(place_fd, renamed, place_fd, name) == 0 &&
                unlinkat(place_fd, name, 0) == 0 && mkdirat(place_fd, name, 0700) == 0 &&
                fstatat(host_fd, name, &found, 0) == 0 && S_ISDIR(found.st_mode) &&
                unlinkat(place_fd, name, AT_REMOVEDIR) == 0;
    ok(good, "names: %s", what);
}

static void odd_names(void)
{
    char longest[257];
    memset(longest, 'n', 256);
    longest[256] = '\0';
    ok(!create(place_fd, longest) && errno == ENAMETOOLONG, "names: none of 256 bytes");
    longest[255] = '\0';
    works(longest, "255 bytes");
    memset(longest, 0xe4, 255);
    works(longest, "255 bytes that are not UTF-8");
    works("new\nline", "a newline");
    works("-rf *?[a]{b,c}\\\"'`$ ", "what shells and patterns take for something else");
    works("...", "three dots");
    works("\x01\x7f\xff", "control characters");
    works("\xf0\x9f\x98\x80 \xc3\xa9 e\xcc\x81", "UTF-8 in two forms of normalisation");
    ok(create(place_fd, "Case") && create(place_fd, "cASE"), "names: case matters");
}

/* A chain of folders whose path has that many bytes, gone into step by step. */
static void long_path(size_t bytes)
{
    char name[201];
    memset(name, 'p', 200);
    name[200] = '\0';
    size_t steps = bytes / 201;
    int back = open(".", O_PATH | O_CLOEXEC), deepest;
    bool good = fchdir(place_fd) == 0;
    for (size_t i = 0; i < steps && good; i++)
        good = mkdir(name, 0755) == 0 && chdir(name) == 0;
    struct stat found;
    ok(good, "a path of %zu bytes: made by chdir", bytes);
    deepest = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok(create(deepest, "file") && fstatat(deepest, "file", &found, 0) == 0 &&
           is_listed(deepest, "file") && linkat(deepest, "file", deepest, "link", 0) == 0 &&
           renameat(deepest, "link", deepest, "renamed") == 0 &&
           symlinkat("file", deepest, "symlink") == 0 &&
           faccessat(deepest, "symlink", R_OK, 0) == 0 && fchmodat(deepest, "file", 0600, 0) == 0 &&
           mkdirat(deepest, "folder", 0755) == 0,
       "a path of %zu bytes: files and folders are made, listed, linked and renamed", bytes);
    ok(renameat(deepest, "file", place_fd, "from the depth") == 0 &&
           fstatat(place_fd, "from the depth", &found, 0) == 0,
       "a path of %zu bytes: renamed to the top", bytes);
    ok(unlinkat(deepest, "renamed", 0) == 0 && unlinkat(deepest, "symlink", 0) == 0 &&
           unlinkat(deepest, "folder", AT_REMOVEDIR) == 0,
       "a path of %zu bytes: removed", bytes);
    close(deepest);
    for (size_t i = 0; i < steps && good; i++)
        good = chdir("..") == 0 && rmdir(name) == 0;
    ok(good, "a path of %zu bytes: and taken down again", bytes);
    good = fchdir(back) == 0;
    close(back);
}

enum { ENTRIES = 500 };

static void positions(void)
{
    char name[32];
    mkdirat(place_fd, "list", 0755);
    int folder = openat(place_fd, "list", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof(name), "entry-%d", i);
        create(folder, name);
    }
    DIR *directory = list(place_fd, "list");
    static struct {
        long before;
        char name[32];
    } seen[ENTRIES + 2];
    const struct dirent *entry;
    size_t count = 0;
    for (long at = telldir(directory); count < ENTRIES + 2 && (entry = readdir(directory));
         at = telldir(directory)) {
        seen[count].before = at;
        snprintf(seen[count++].name, sizeof(name), "%.31s", entry->d_name);
    }
    is_int(count, ENTRIES + 2, "listing: every entry");
    bool same = true;
    for (size_t i = count; i-- > 0;) {
        seekdir(directory, seen[i].before);
        entry = readdir(directory);
        same &= entry && strcmp(entry->d_name, seen[i].name) == 0;
    }
    ok(same, "listing: seekdir goes back to where telldir was, for every entry");

    create(folder, "late");
    seekdir(directory, seen[count / 2].before);
    size_t rest = 0, doubled = 0;
    while ((entry = readdir(directory)))
        for (size_t i = 0; i < count; i++) {
            rest += i >= count / 2 && strcmp(entry->d_name, seen[i].name) == 0;
            doubled += i < count / 2 && strcmp(entry->d_name, seen[i].name) == 0;
        }
    ok(rest == count - count / 2 && doubled == 0,
       "listing: and on from there, with no entry doubled");
    rewinddir(directory);
    bool late = false;
    for (rest = 0; (entry = readdir(directory)); rest++)
        late |= strcmp(entry->d_name, "late") == 0;
    ok(late && rest == count + 1, "listing: rewinddir shows what was made since");
    closedir(directory);
    close(folder);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: names PLACE HOST");
    place_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    host_fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place_fd < 0 || host_fd < 0)
        die("cannot open the folders");
    odd_names();
    long_path(PATH_MAX + 500);
    long_path(12000);
    positions();
    return done_testing();
}
