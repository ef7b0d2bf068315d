#include "cgroup_file.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#define SIZE_LIMIT 65536

int cgroup_file_write(const char *folder, const char *name, const char *text)
{
    cleanup_free char *path = xasprintf("%s/%s", folder, name);
    cleanup_fd int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    return fd < 0 ? -1 : fd_write_all(fd, text, strlen(text));
}

int cgroup_file_write_number(const char *folder, const char *name, unsigned long long number)
{
    cleanup_free char *text = xasprintf("%llu", number);
    return cgroup_file_write(folder, name, text);
}

static char *read_path(const char *path)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    size_t size;
    return fd >= 0 && fd_read_file(fd, SIZE_LIMIT, &text, &size) == 0 ? text : NULL;
}

char *cgroup_file_read(const char *folder, const char *name)
{
    cleanup_free char *path = xasprintf("%s/%s", folder, name);
    return read_path(path);
}

unsigned long long cgroup_file_value(const char *folder, const char *name, const char *key)
{
    cleanup_free char *text = cgroup_file_read(folder, name);
    if (!text)
        return 0;
    if (!key)
        return strtoull(text, NULL, 10);
    char *rest = NULL;
    size_t length = strlen(key);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length, NULL, 10);
    return 0;
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    if (length == 0)
        return list[0] == '\0';
    for (const char *at = list; (at = strstr(at, word)); at += length)
        if ((at == list || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
            return true;
    return false;
}

/* Lines of NUMBER:CONTROLLER,...:GROUP; the group itself may hold colons. */
char *cgroup_file_group_of(pid_t process, const char *controller)
{
    cleanup_free char *path = xasprintf("/proc/%d/cgroup", process);
    cleanup_free char *text = read_path(path);
    char *rest = text;
    for (char *line; text && (line = strsep(&rest, "\n"));) {
        char *list = strchr(line, ':');
        char *group = list ? strchr(list + 1, ':') : NULL;
        if (!group)
            continue;
        *group = '\0';
        if (has_word(list + 1, controller))
            return xstrdup(group + 1);
    }
    return NULL;
}
