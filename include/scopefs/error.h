/*
 * The error object: one cause with an errno, and the context that callers add on the way up. It is
 * printed once, at the top. Functions take `struct error **error` last; a NULL pointer means the
 * caller does not want the text.
 */
#ifndef SCOPEFS_ERROR_H
#define SCOPEFS_ERROR_H

struct error {
    int number;    /* an errno value, or 0 when none fits */
    char *message; /* one line without a newline: what is wrong, and the mend */
};

#define cleanup_error __attribute__((cleanup(error_cleanup)))

/* Sets *error (which must be NULL) and returns -1, so that `return error_set(...)` reads well.
 * With a non-zero number, ": " and its text follow the message. */
int error_set(struct error **error, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of what is already there. Returns -1. */
int error_wrap(struct error **error, const char *format, ...) __attribute__((format(printf, 2, 3)));

void error_free(struct error *error);
void error_cleanup(struct error **error);

#endif
