#include "manifest.h"

#include "../tap.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static void fail(const char *what, const char *path)
{
    perror(what);
    diag("%s: %s", what, path);
    exit(2);
}

/* FNV-1a */
static uint64_t hash_content(int directory_fd, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    unsigned char bytes[65536];
    int fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        fail("open", name);
    for (ssize_t got; (got = read(fd, bytes, sizeof(bytes))) > 0;)
        for (ssize_t i = 0; i < got; i++)
            hash = (hash ^ bytes[i]) * 0x100000001b3u;
    close(fd);
    return hash;
}

static void add_attributes(struct strbuf *text, int directory_fd, const char *name)
{
    char path[64 + 256], list[4096], value[4096];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", directory_fd, name);
    ssize_t length = llistxattr(path, list, sizeof(list));
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(list + at) + 1) {
        ssize_t size = lgetxattr(path, list + at, value, sizeof(value));
        strbuf_add_format(text, " %s=%.*s", list + at, size < 0 ? 0 : (int)size, value);
    }
}

static void add_object(struct strbuf *text, int directory_fd, const char *name, const char *path)
{
    struct stat found;
    if (fstatat(directory_fd, name, &found, AT_SYMLINK_NOFOLLOW) < 0)
        fail("stat", path);
    strbuf_add_format(
        text, "%s: %06o %u:%u links %lu inode %lu modified %ld.%09ld changed %ld.%09ld", path,
        found.st_mode, found.st_uid, found.st_gid, (unsigned long)found.st_nlink,
        (unsigned long)found.st_ino, (long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec,
        (long)found.st_ctim.tv_sec, found.st_ctim.tv_nsec);
    if (!S_ISDIR(found.st_mode))
        strbuf_add_format(text, " size %lld", (long long)found.st_size);
    if (S_ISREG(found.st_mode))
        strbuf_add_format(text, " content %016llx",
                          (unsigned long long)hash_content(directory_fd, name));
    if (S_ISLNK(found.st_mode)) {
        char target[4096] = "";
        if (readlinkat(directory_fd, name, target, sizeof(target) - 1) < 0)
            fail("readlink", path);
        strbuf_add_format(text, " -> %s", target);
    }
    add_attributes(text, directory_fd, name);
    strbuf_add_text(text, "\n");
}

static int by_name(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static void add_tree(struct strbuf *text, int parent_fd, const char *name, const char *path)
{
    struct dirent **entries;
    add_object(text, parent_fd, name, path);
    int count = scandirat(parent_fd, name, &entries, NULL, by_name);
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (count < 0 || fd < 0)
        fail("list", path);
    for (int i = 0; i < count; i++) {
        struct stat found;
        const char *entry = entries[i]->d_name;
        if (strcmp(entry, ".") != 0 && strcmp(entry, "..") != 0) {
            cleanup_free char *below = xasprintf("%s/%s", path, entry);
            bool is_directory =
                fstatat(fd, entry, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode);
            (is_directory ? add_tree : add_object)(text, fd, entry, below);
        }
        free(entries[i]);
    }
    free(entries);
    close(fd);
}

char *manifest_take(int directory_fd)
{
    struct strbuf text = {0};
    add_tree(&text, directory_fd, ".", ".");
    return strbuf_steal(&text);
}

static bool has_line(const char *text, const char *line, size_t length)
{
    for (const char *at = text; *at; at = strchr(at, '\n') + 1)
        if (strncmp(at, line, length) == 0 && at[length] == '\n')
            return true;
    return false;
}

static void tell_missing(const char *from, const char *in, const char *sign)
{
    for (const char *line = from; *line;) {
        size_t length = strcspn(line, "\n");
        if (!has_line(in, line, length))
            diag("  %s %.*s", sign, (int)length, line);
        line += length + 1;
    }
}

void manifest_tell(const char *before, const char *after)
{
    tell_missing(before, after, "-");
    tell_missing(after, before, "+");
}
