#include "headers.h"

#include "scopefs/mem.h"

#include <string.h>

#define BASE64_START "=?base64?"
#define BASE64_END   "?="

static const char *next_value(const char **at, const char *end)
{
    const char *mark = *at;
    const char *nul = mark < end ? memchr(mark, '\0', (size_t)(end - mark)) : NULL;
    if (!nul)
        return NULL;
    *at = nul + 1;
    return *mark == '+' ? mark + 1 : NULL;
}

void headers_read(struct headers *headers, const char *bytes, size_t size)
{
    headers_clear(headers);
    headers->text = xmemdup0(bytes, size);
    headers->is_there = true;
    const char *at = headers->text, *end = at + size;
    headers->version = next_value(&at, end);
    headers->method = next_value(&at, end);
    headers->name = next_value(&at, end);
}

void headers_clear(struct headers *headers)
{
    free(headers->text);
    *headers = (struct headers){0};
}

static int digit_value(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* New, or NULL for what is no base64. */
static char *decode(const char *text, size_t length)
{
    cleanup_free char *bytes = xcalloc(length + 1, 1);
    size_t size = 0;
    unsigned group = 0, bits = 0;
    while (length && text[length - 1] == '=')
        length--;
    for (size_t i = 0; i < length; i++) {
        int value = digit_value(text[i]);
        if (value < 0)
            return NULL;
        group = (group << 6 | (unsigned)value) & 0xffff;
        bits += 6;
        if (bits >= 8)
            bytes[size++] = (char)(group >> (bits -= 8) & 0xff);
    }
    return steal_pointer(bytes);
}

/* A name that is not plain ASCII comes encoded. */
static bool is_name(const char *header, const char *name)
{
    size_t length = strlen(header), start = strlen(BASE64_START), end = strlen(BASE64_END);
    if (length < start + end || strncmp(header, BASE64_START, start) != 0 ||
        strcmp(header + length - end, BASE64_END) != 0)
        return strcmp(header, name) == 0;
    cleanup_free char *decoded = decode(header + start, length - start - end);
    return decoded && strcmp(decoded, name) == 0;
}

const char *headers_mismatch(const struct headers *headers, const char *version, const char *method,
                             const char *name)
{
    if (!headers->version || !version || strcmp(headers->version, version) != 0)
        return "MCP-Protocol-Version";
    if (!headers->method || strcmp(headers->method, method) != 0)
        return "Mcp-Method";
    if (name && (!headers->name || !is_name(headers->name, name)))
        return "Mcp-Name";
    return NULL;
}
