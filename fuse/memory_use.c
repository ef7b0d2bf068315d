#include "memory_use.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int memory_use_open(void)
{
    return open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
}

long memory_use_read(int fd)
{
    char text[2048];
    if (fd < 0)
        return -1;
    ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
    if (length <= 0)
        return -1;
    text[length] = '\0';
    const char *found = strstr(text, "\nPss:");
    return found ? strtol(found + strlen("\nPss:"), NULL, 10) : -1;
}
