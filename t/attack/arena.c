#include "arena.h"

#include "scopefs/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

const char *const arena_levels[ARENA_LEVELS] = {"none", "view", "read", "write", "way"};
const char *const arena_kinds[KINDS] = {"file", "directory", "link", "fifo", "socket"};
const char *const arena_parents[ARENA_PARENTS] = {"in-write", "in-read", "in-view", "in-way"};

static void must(long result, const char *what)
{
    if (result >= 0)
        return;
    perror(what);
    exit(2);
}

static void set_probe(int directory_fd, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", directory_fd, name);
    must(setxattr(path, "user.probe", "here", 4, 0), "setxattr");
}

static void make_file(int directory_fd, const char *name)
{
    static const char content[] = "#!/bin/true\ncontent\n";
    int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    must(fd, name);
    must(write(fd, content, sizeof(content) - 1), name);
    close(fd);
    set_probe(directory_fd, name);
}

static void make_directory(int directory_fd, const char *name)
{
    must(mkdirat(directory_fd, name, 0755), name);
    set_probe(directory_fd, name);
}

static void make_socket(int directory_fd, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd, "socket");
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", directory_fd, name);
    must(bind(fd, (void *)&address, sizeof(address)), name);
    close(fd);
}

static void make(int directory_fd, enum kind kind, const char *name)
{
    switch (kind) {
    case A_FILE:
        make_file(directory_fd, name);
        return;
    case A_DIRECTORY:
        make_directory(directory_fd, name);
        return;
    case A_LINK:
        must(symlinkat("write-spare", directory_fd, name), name);
        return;
    case A_FIFO:
        must(mkfifoat(directory_fd, name, 0644), name);
        return;
    default:
        make_socket(directory_fd, name);
        return;
    }
}

struct arena arena_make(int source_fd, const char *view, const char *parent, enum kind kind)
{
    static unsigned last;
    char name[64];
    struct arena arena;
    snprintf(name, sizeof(name), "arena/%u", ++last);
    must(mkdirat(source_fd, name, 0755), name);
    snprintf(name, sizeof(name), "arena/%u/%s", last, parent);
    must(mkdirat(source_fd, name, 0755), name);
    arena.fd = openat(source_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(arena.fd, name);
    arena.shown = xasprintf("%s/%s", view, name);

    make_file(arena.fd, "write-spare");
    make_directory(arena.fd, "write-spare-directory");
    for (enum arena_level level = AT_NONE; level < ARENA_LEVELS; level++) {
        if (level == AT_WAY && kind != A_DIRECTORY)
            continue;
        snprintf(name, sizeof(name), "%s-%s", arena_levels[level], arena_kinds[kind]);
        make(arena.fd, kind, name);
        if (level == AT_WAY) {
            snprintf(name, sizeof(name), "%s-%s/shown", arena_levels[level], arena_kinds[kind]);
            make_file(arena.fd, name);
        }
    }
    return arena;
}

void arena_remove(struct arena *arena)
{
    close(arena->fd);
    free(arena->shown);
}
