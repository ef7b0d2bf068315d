#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void must(long result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

int answer(long result)
{
    return result < 0 ? errno : 0;
}

void file_write(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    must(fd, path);
    must(write(fd, content, strlen(content)), path);
    close(fd);
}

int file_read(const char *path, char *content, unsigned long size)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    content[0] = '\0';
    if (fd < 0)
        return errno;
    ssize_t got = read(fd, content, size - 1);
    int failed = answer(got);
    content[got < 0 ? 0 : got] = '\0';
    close(fd);
    return failed;
}

bool file_has(const char *path, const char *content)
{
    char found[4096];
    return file_read(path, found, sizeof(found)) == 0 && strcmp(found, content) == 0;
}

void directory_make(const char *path)
{
    must(mkdir(path, 0755), path);
}

unsigned directory_count(const char *path)
{
    unsigned count = 0;
    DIR *directory = opendir(path);
    must(directory ? 0 : -1, path);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return count;
}
