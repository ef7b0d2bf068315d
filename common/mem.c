#include "scopefs/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
    static const char message[] = "scopefs: out of memory\n";
    ssize_t written = write(STDERR_FILENO, message, sizeof(message) - 1);
    (void)written;
    abort();
}

void mem_cleanup_free(void *pointer_variable)
{
    free(*(void **)pointer_variable);
}

void *xmalloc(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory)
        out_of_memory();
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory)
        out_of_memory();
    return memory;
}

char *xstrdup(const char *text)
{
    return xmemdup0(text, strlen(text));
}

char *xmemdup0(const void *bytes, size_t size)
{
    if (size == SIZE_MAX)
        out_of_memory();
    char *copy = xmalloc(size + 1);
    if (size)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

char *xasprintf(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        out_of_memory();
    return text;
}

void *xreallocarray(void *pointer, size_t count, size_t size)
{
    void *memory = reallocarray(pointer, count ? count : 1, size ? size : 1);
    if (!memory)
        out_of_memory();
    return memory;
}
