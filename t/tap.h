/*
 * A small producer of TAP (https://testanything.org) for tests written in C. Each check is one line
 * that says what it shows; a failure tells its place and the values on standard error.
 *
 *     plan(2);                 or nothing, and done_testing() tells how many there were
 *     ok(x > 0, "x is positive for %s", name);
 *     is_string(got, "expected", "the name comes back");
 *     return done_testing();
 */
#ifndef T_TAP_H
#define T_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TAP_UNUSED __attribute__((unused))

static struct {
    unsigned planned, run, failed;
} tap;

#define ok(condition, ...)            tap_ok(__FILE__, __LINE__, (condition), __VA_ARGS__)
#define is_string(got, expected, ...) tap_is_string(__FILE__, __LINE__, got, expected, __VA_ARGS__)
#define is_int(got, expected, ...)                                                                 \
    tap_is_int(__FILE__, __LINE__, (long long)(got), (long long)(expected), __VA_ARGS__)

/* A comment, seen also when prove hides the results. */
TAP_UNUSED __attribute__((format(printf, 1, 2))) static void diag(const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    fputs("# ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

/* A comment in the results. */
TAP_UNUSED __attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    va_list arguments;
    fputs("# ", stdout);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

TAP_UNUSED static void plan(unsigned count)
{
    tap.planned = count;
    printf("1..%u\n", count);
}

/* Names may hold what TAP gives a meaning to: '#' starts a directive, a newline ends the line. */
__attribute__((format(printf, 1, 0))) static void tap_print_name(const char *format,
                                                                 va_list arguments)
{
    char name[1024];
    vsnprintf(name, sizeof(name), format, arguments);
    for (const char *at = name; *at; at++) {
        if (*at == '#' || *at == '\\')
            putchar('\\');
        putchar(*at < 0x20 || *at > 0x7e ? '?' : *at);
    }
}

__attribute__((format(printf, 4, 0))) static bool
tap_result(const char *file, int line, bool passed, const char *format, va_list arguments)
{
    tap.run++;
    printf("%sok %u - ", passed ? "" : "not ", tap.run);
    tap_print_name(format, arguments);
    putchar('\n');
    if (!passed) {
        tap.failed++;
        diag("  failed at %s:%d", file, line);
    }
    return passed;
}

TAP_UNUSED __attribute__((format(printf, 4, 5))) static bool
tap_ok(const char *file, int line, bool condition, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool passed = tap_result(file, line, condition, format, arguments);
    va_end(arguments);
    return passed;
}

TAP_UNUSED __attribute__((format(printf, 5, 6))) static bool
tap_is_string(const char *file, int line, const char *got, const char *expected, const char *format,
              ...)
{
    bool equal = got && expected ? strcmp(got, expected) == 0 : got == expected;
    va_list arguments;
    va_start(arguments, format);
    bool passed = tap_result(file, line, equal, format, arguments);
    va_end(arguments);
    if (!passed) {
        diag("       got: %s", got ? got : "NULL");
        diag("  expected: %s", expected ? expected : "NULL");
    }
    return passed;
}

TAP_UNUSED __attribute__((format(printf, 5, 6))) static bool
tap_is_int(const char *file, int line, long long got, long long expected, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool passed = tap_result(file, line, got == expected, format, arguments);
    va_end(arguments);
    if (!passed)
        diag("  got %lld, expected %lld", got, expected);
    return passed;
}

/* Ends the output; the exit status of main. */
TAP_UNUSED static int done_testing(void)
{
    if (!tap.planned)
        printf("1..%u\n", tap.run);
    else if (tap.planned != tap.run)
        diag("planned %u tests but ran %u", tap.planned, tap.run);
    return tap.failed || (tap.planned && tap.planned != tap.run);
}

#endif
