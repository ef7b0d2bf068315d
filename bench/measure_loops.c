#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- The same call on many names of one folder --- */

static char **names;
static unsigned name_count, loop_count;

void loop_prepare(char **arguments)
{
    struct dirent *entry;
    DIR *folder = opendir(arguments[0]);
    if (!folder || chdir(arguments[0]) < 0)
        measure_fail(arguments[0]);
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        char **grown = realloc(names, (name_count + 1) * sizeof(*names));
        if (!grown || !(grown[name_count++] = strdup(entry->d_name)))
            measure_fail(arguments[0]);
        names = grown;
    }
    closedir(folder);
    loop_count = measure_number(arguments[1]);
    errno = ENOENT;
    if (!name_count)
        measure_fail(arguments[0]);
}

void loop_stat(char **arguments)
{
    struct stat attributes;
    (void)arguments;
    for (unsigned i = 0; i < loop_count; i++)
        if (lstat(names[i % name_count], &attributes) < 0)
            measure_fail(names[i % name_count]);
}

void loop_open(char **arguments)
{
    (void)arguments;
    for (unsigned i = 0; i < loop_count; i++) {
        int fd = open(names[i % name_count], O_RDONLY | O_CLOEXEC);
        if (fd < 0 || close(fd) < 0)
            measure_fail(names[i % name_count]);
    }
}

void loop_readlink(char **arguments)
{
    char target[256];
    (void)arguments;
    for (unsigned i = 0; i < loop_count; i++)
        if (readlink(names[i % name_count], target, sizeof(target)) < 0)
            measure_fail(names[i % name_count]);
}

/* As a compiler looks for headers: a hundred names, each again and again. */
void loop_absent(char **arguments)
{
    struct stat attributes;
    char name[32];
    (void)arguments;
    for (unsigned i = 0; i < loop_count; i++) {
        snprintf(name, sizeof(name), "absent-%u.h", i % 100);
        if (lstat(name, &attributes) == 0 || errno != ENOENT)
            measure_fail(name);
    }
}

static void wait_for(pid_t child, const char *name)
{
    int status;
    if (waitpid(child, &status, 0) < 0)
        measure_fail(name);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "measure: %s failed\n", name);
        exit(1);
    }
}

void loop_exec(char **arguments)
{
    (void)arguments;
    for (unsigned i = 0; i < loop_count; i++) {
        char *name = names[i % name_count];
        pid_t child;
        errno = posix_spawn(&child, name, NULL, NULL, (char *[]){name, NULL}, environ);
        if (errno)
            measure_fail(name);
        wait_for(child, name);
    }
}

/* --- Other work --- */

void run_command(char **arguments)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    errno = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    if (errno)
        measure_fail(arguments[0]);
    posix_spawn_file_actions_destroy(&actions);
    wait_for(child, arguments[0]);
}

/* One byte of every page. */
void read_mapped(char **arguments)
{
    struct stat attributes;
    int fd = open(arguments[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &attributes) < 0)
        measure_fail(arguments[0]);
    size_t length = (size_t)attributes.st_size;
    unsigned char *bytes = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        measure_fail(arguments[0]);
    unsigned sum = 0;
    for (size_t i = 0; i < length; i += 4096)
        sum += bytes[i];
    __asm__ volatile("" : : "r"(sum));
    munmap(bytes, length);
    close(fd);
}

static void walk_folder(int folder_fd)
{
    struct dirent *entry;
    struct stat attributes;
    DIR *folder = fdopendir(folder_fd);
    if (!folder)
        measure_fail("fdopendir");
    while ((entry = readdir(folder))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (fstatat(dirfd(folder), entry->d_name, &attributes, AT_SYMLINK_NOFOLLOW) < 0)
            measure_fail(entry->d_name);
        if (S_ISDIR(attributes.st_mode)) {
            int inner = openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (inner < 0)
                measure_fail(entry->d_name);
            walk_folder(inner);
        }
    }
    closedir(folder);
}

void walk_tree(char **arguments)
{
    unsigned walkers = measure_number(arguments[0]);
    pid_t *children = calloc(walkers + 1, sizeof(*children));
    if (!children)
        measure_fail("calloc");
    for (unsigned i = 0; i < walkers; i++) {
        children[i] = fork();
        if (children[i] < 0)
            measure_fail("fork");
        if (children[i] > 0)
            continue;
        int folder = open(arguments[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            measure_fail(arguments[1]);
        walk_folder(folder);
        _exit(0);
    }
    for (unsigned i = 0; i < walkers; i++)
        wait_for(children[i], "walker");
    free(children);
}
