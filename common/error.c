#include "scopefs/error.h"

#include "scopefs/mem.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 1, 0))) static char *format_message(const char *format,
                                                                  va_list arguments)
{
    char *text = NULL;
    return vasprintf(&text, format, arguments) < 0 ? xstrdup(format) : text;
}

int error_set(struct error **error, int number, const char *format, ...)
{
    if (!error)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    cleanup_free char *text = format_message(format, arguments);
    va_end(arguments);

    struct error *made = xmalloc(sizeof(*made));
    made->number = number;
    made->message = number ? xasprintf("%s: %s", text, strerror(number)) : xasprintf("%s", text);
    *error = made;
    return -1;
}

int error_wrap(struct error **error, const char *format, ...)
{
    if (!error || !*error)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    cleanup_free char *context = format_message(format, arguments);
    va_end(arguments);

    char *wrapped = xasprintf("%s: %s", context, (*error)->message);
    free((*error)->message);
    (*error)->message = wrapped;
    return -1;
}

void error_free(struct error *error)
{
    if (!error)
        return;
    free(error->message);
    free(error);
}

void error_cleanup(struct error **error)
{
    error_free(*error);
    *error = NULL;
}
