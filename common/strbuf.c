#include "scopefs/strbuf.h"

#include "scopefs/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

static void make_room(struct strbuf *buffer, size_t more)
{
    if (more >= SIZE_MAX / 2 - buffer->length)
        abort();
    size_t needed = buffer->length + more + 1;
    if (needed <= buffer->room)
        return;
    size_t room = buffer->room ? buffer->room : 64;
    while (room < needed)
        room *= 2;
    buffer->bytes = xreallocarray(buffer->bytes, room, 1);
    buffer->room = room;
}

void strbuf_add(struct strbuf *buffer, const void *bytes, size_t size)
{
    make_room(buffer, size);
    if (size)
        memcpy(buffer->bytes + buffer->length, bytes, size);
    buffer->length += size;
    buffer->bytes[buffer->length] = '\0';
}

void strbuf_add_text(struct strbuf *buffer, const char *text)
{
    strbuf_add(buffer, text, strlen(text));
}

void strbuf_add_format(struct strbuf *buffer, const char *format, ...)
{
    cleanup_free char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        abort();
    strbuf_add(buffer, text, (size_t)length);
}

/* The length of the UTF-8 sequence at `at` (RFC 3629: no surrogates, no overlong forms), or 0. */
static size_t utf8_sequence(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    if (at[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (at[0] < forms[i].first_low || at[0] > forms[i].first_high)
            continue;
        if (left < forms[i].length || at[1] < forms[i].second_low || at[1] > forms[i].second_high)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if ((at[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

void strbuf_add_json(struct strbuf *buffer, const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    strbuf_add(buffer, "\"", 1);
    for (size_t i = 0; i < size;) {
        size_t length = utf8_sequence(at + i, size - i);
        if (length == 0)
            strbuf_add_format(buffer, "\\udc%02x", at[i]);
        else if (at[i] == '"' || at[i] == '\\')
            strbuf_add_format(buffer, "\\%c", at[i]);
        else if (at[i] < 0x20 || at[i] == 0x7f)
            strbuf_add_format(buffer, "\\u%04x", at[i]);
        else
            strbuf_add(buffer, at + i, length);
        i += length ? length : 1;
    }
    strbuf_add(buffer, "\"", 1);
}

/* C1 control characters (U+0080 to U+009F) are terminal sequences for some terminals. */
static int is_c1_control(const unsigned char *at, size_t length)
{
    return length == 2 && at[0] == 0xc2 && at[1] < 0xa0;
}

void strbuf_add_quoted(struct strbuf *buffer, const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    strbuf_add(buffer, "", 0);
    for (size_t i = 0; i < size;) {
        size_t length = utf8_sequence(at + i, size - i);
        if (at[i] == '\\') {
            strbuf_add(buffer, "\\\\", 2);
        } else if (length == 0 || at[i] < 0x20 || at[i] == 0x7f || is_c1_control(at + i, length)) {
            strbuf_add_format(buffer, "\\%03o", at[i]);
            length = 1;
        } else {
            strbuf_add(buffer, at + i, length);
        }
        i += length;
    }
}

static int octal_digit(char letter)
{
    return letter >= '0' && letter <= '7' ? letter - '0' : -1;
}

void strbuf_unquote(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        if (from[0] != '\\' || from[1] == '\0') {
            *to++ = *from++;
        } else if (octal_digit(from[1]) < 0 || octal_digit(from[2]) < 0 ||
                   octal_digit(from[3]) < 0) {
            *to++ = from[1];
            from += 2;
        } else {
            *to++ =
                (char)(octal_digit(from[1]) * 64 + octal_digit(from[2]) * 8 + octal_digit(from[3]));
            from += 4;
        }
    }
    *to = '\0';
}

void strbuf_clear(struct strbuf *buffer)
{
    buffer->length = 0;
    if (buffer->bytes)
        buffer->bytes[0] = '\0';
}

char *strbuf_steal(struct strbuf *buffer)
{
    char *bytes = buffer->bytes ? buffer->bytes : xstrdup("");
    *buffer = (struct strbuf){0};
    return bytes;
}

void strbuf_free(struct strbuf *buffer)
{
    free(buffer->bytes);
    *buffer = (struct strbuf){0};
}
