#include "media.h"

#include "scopefs/mem.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *suffix, *type;
} types[] = {
    {".png", "image/png"},         {".jpg", "image/jpeg"},        {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},         {".webp", "image/webp"},       {".svg", "image/svg+xml"},
    {".ico", "image/x-icon"},      {".bmp", "image/bmp"},         {".avif", "image/avif"},
    {".tif", "image/tiff"},        {".tiff", "image/tiff"},       {".mp3", "audio/mpeg"},
    {".wav", "audio/wav"},         {".ogg", "audio/ogg"},         {".m4a", "audio/mp4"},
    {".flac", "audio/flac"},       {".mp4", "video/mp4"},         {".webm", "video/webm"},
    {".avi", "video/x-msvideo"},   {".mov", "video/quicktime"},   {".pdf", "application/pdf"},
    {".json", "application/json"}, {".xml", "application/xml"},   {".zip", "application/zip"},
    {".gz", "application/gzip"},   {".tar", "application/x-tar"}, {".txt", "text/plain"},
    {".md", "text/markdown"},      {".html", "text/html"},        {".csv", "text/csv"},
};

const char *media_type(const char *name)
{
    const char *suffix = strrchr(name, '.');
    for (size_t i = 0; suffix && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcasecmp(types[i].suffix, suffix) == 0)
            return types[i].type;
    return "application/octet-stream";
}

json_t *media_base64(const char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = (const unsigned char *)bytes;
    size_t length = (size + 2) / 3 * 4;
    cleanup_free char *text = xcalloc(length + 1, 1);
    char *to = text;
    for (size_t i = 0; i < size; i += 3, to += 4) {
        size_t left = size - i;
        uint32_t group = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                         (left > 2 ? from[i + 2] : 0);
        for (unsigned digit = 0; digit < 4; digit++)
            to[digit] = digit <= left ? digits[(group >> (18 - 6 * digit)) & 63] : '=';
    }
    return json_stringn_nocheck(text, length);
}
