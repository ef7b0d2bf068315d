#include "text.h"

#include <stdint.h>
#include <string.h>

#define UTF8_MARK "\xef\xbb\xbf"

const char *const encoding_names[] = {
    "utf-8", "utf-8 with a byte order mark", "utf-16le", "utf-16be", "latin-1", "binary"};

/* Takes one character of UTF-8 (RFC 3629). Its length, or 0. */
static size_t take_utf8(const unsigned char *at, size_t left, uint32_t *character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (at[0] < 0x80) {
        *character = at[0];
        return 1;
    }
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || length > left)
        return 0;
    *character = at[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *character = *character << 6 | (at[i] & 0x3fU);
    }
    bool is_surrogate = *character >= 0xd800 && *character < 0xe000;
    return *character < smallest[length] || is_surrogate || *character > 0x10ffff ? 0 : length;
}

static void add_utf8(struct strbuf *text, uint32_t character)
{
    char bytes[4];
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    if (length == 1) {
        bytes[0] = (char)character;
    } else {
        static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
        for (size_t i = length - 1; i > 0; i--, character >>= 6)
            bytes[i] = (char)(0x80 | (character & 0x3f));
        bytes[0] = (char)(first[length] | character);
    }
    strbuf_add(text, bytes, length);
}

bool text_is_utf8(const char *bytes, size_t size)
{
    uint32_t character = 0;
    const unsigned char *at = (const unsigned char *)bytes;
    for (size_t left = size, length; left; at += length, left -= length)
        if (!(length = *at < 0x80 ? 1 : take_utf8(at, left, &character)))
            return false;
    return true;
}

void text_mend(const char *bytes, size_t size, struct strbuf *text)
{
    uint32_t character = 0;
    const unsigned char *at = (const unsigned char *)bytes;
    for (size_t left = size, length; left; at += length, left -= length) {
        length = *at ? take_utf8(at, left, &character) : 0;
        if (length)
            strbuf_add(text, at, length);
        else
            strbuf_add_text(text, "\xef\xbf\xbd");
        length = length ? length : 1;
    }
    strbuf_add(text, "", 0);
}

size_t text_cut(const char *bytes, size_t size)
{
    while (size > 0 && ((unsigned char)bytes[size] & 0xc0) == 0x80)
        size--;
    return size;
}

/* --- UTF-16 (RFC 2781) --- */

static uint32_t unit_at(const char *bytes, enum encoding encoding)
{
    const unsigned char *at = (const unsigned char *)bytes;
    return encoding == ENCODING_UTF16_LITTLE ? (uint32_t)(at[0] | at[1] << 8)
                                             : (uint32_t)(at[0] << 8 | at[1]);
}

/* Takes one character. Its length in bytes, or 0. */
static size_t take_utf16(const char *at, size_t left, enum encoding encoding, uint32_t *character)
{
    if (left < 2)
        return 0;
    *character = unit_at(at, encoding);
    if (*character < 0xd800 || *character > 0xdfff)
        return 2;
    uint32_t low = left < 4 ? 0 : unit_at(at + 2, encoding);
    if (*character > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return 0;
    *character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
    return 4;
}

static void add_unit(struct strbuf *bytes, uint32_t unit, enum encoding encoding)
{
    char low = (char)(unit & 0xff), high = (char)(unit >> 8);
    char pair[2] = {encoding == ENCODING_UTF16_LITTLE ? low : high,
                    encoding == ENCODING_UTF16_LITTLE ? high : low};
    strbuf_add(bytes, pair, sizeof(pair));
}

static void add_utf16(struct strbuf *bytes, uint32_t character, enum encoding encoding)
{
    if (character >= 0x10000) {
        add_unit(bytes, 0xd800 + ((character - 0x10000) >> 10), encoding);
        character = 0xdc00 + ((character - 0x10000) & 0x3ff);
    }
    add_unit(bytes, character, encoding);
}

static bool is_utf16(const char *bytes, size_t size, enum encoding encoding)
{
    uint32_t character = 0;
    for (size_t at = 2, length; at < size; at += length)
        if (!(length = take_utf16(bytes + at, size - at, encoding, &character)) || character == 0)
            return false;
    return true;
}

/* --- All of them --- */

enum encoding text_encoding(const char *bytes, size_t size)
{
    if (size >= 2 && memcmp(bytes, "\xff\xfe", 2) == 0 &&
        is_utf16(bytes, size, ENCODING_UTF16_LITTLE))
        return ENCODING_UTF16_LITTLE;
    if (size >= 2 && memcmp(bytes, "\xfe\xff", 2) == 0 && is_utf16(bytes, size, ENCODING_UTF16_BIG))
        return ENCODING_UTF16_BIG;
    if (size && memchr(bytes, '\0', size))
        return ENCODING_BINARY;
    if (!text_is_utf8(bytes, size))
        return ENCODING_LATIN1;
    return size >= 3 && memcmp(bytes, UTF8_MARK, 3) == 0 ? ENCODING_UTF8_MARKED : ENCODING_UTF8;
}

void text_decode(enum encoding encoding, const char *bytes, size_t size, struct strbuf *text)
{
    uint32_t character = 0;
    if (encoding == ENCODING_UTF16_LITTLE || encoding == ENCODING_UTF16_BIG) {
        for (size_t at = 2, length; at < size; at += length) {
            length = take_utf16(bytes + at, size - at, encoding, &character);
            add_utf8(text, character);
        }
    } else if (encoding == ENCODING_LATIN1) {
        for (size_t i = 0; i < size; i++)
            add_utf8(text, (unsigned char)bytes[i]);
    } else {
        size_t mark = encoding == ENCODING_UTF8_MARKED ? 3 : 0;
        strbuf_add(text, bytes + mark, size - mark);
    }
}

bool text_encode(enum encoding encoding, const char *text, size_t size, struct strbuf *bytes)
{
    uint32_t character = 0;
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    if (encoding == ENCODING_UTF8_MARKED)
        strbuf_add_text(bytes, UTF8_MARK);
    if (encoding != ENCODING_LATIN1 && encoding != ENCODING_UTF16_LITTLE &&
        encoding != ENCODING_UTF16_BIG) {
        strbuf_add(bytes, text, size);
        return true;
    }
    if (encoding != ENCODING_LATIN1)
        add_unit(bytes, 0xfeff, encoding);
    for (size_t length; at < end; at += length) {
        length = take_utf8(at, (size_t)(end - at), &character);
        if (!length || (encoding == ENCODING_LATIN1 && character > 0xff))
            return false;
        if (encoding == ENCODING_LATIN1) {
            char byte = (char)character;
            strbuf_add(bytes, &byte, 1);
        } else {
            add_utf16(bytes, character, encoding);
        }
    }
    return true;
}
