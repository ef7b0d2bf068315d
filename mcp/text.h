/*
 * The contents of text files. Inside it is all UTF-8; a file in another encoding is turned into it
 * when it is read and back when it is written, byte for byte where nothing was changed.
 */
#ifndef SCOPEFS_MCP_TEXT_H
#define SCOPEFS_MCP_TEXT_H

#include "scopefs/strbuf.h"

#include <stdbool.h>
#include <stddef.h>

enum encoding {
    ENCODING_UTF8,
    ENCODING_UTF8_MARKED, /* with a byte order mark */
    ENCODING_UTF16_LITTLE,
    ENCODING_UTF16_BIG,
    ENCODING_LATIN1, /* whatever else has no NULs: a character for each byte */
    ENCODING_BINARY, /* no text */
};

extern const char *const encoding_names[];

/* What the bytes are. UTF-16 needs its byte order mark, and is binary when it is not well-formed.
 */
enum encoding text_encoding(const char *bytes, size_t size);

/* Appends the text, without a byte order mark. */
void text_decode(enum encoding encoding, const char *bytes, size_t size, struct strbuf *text);

/* Appends the bytes, with the mark. False for a character that the encoding does not have. */
bool text_encode(enum encoding encoding, const char *text, size_t size, struct strbuf *bytes);

bool text_is_utf8(const char *bytes, size_t size);

/* Appends the bytes with U+FFFD for each one that is not UTF-8, and for NULs. */
void text_mend(const char *bytes, size_t size, struct strbuf *text);

/* The largest length up to `size` that ends between two characters of UTF-8. */
size_t text_cut(const char *bytes, size_t size);

#endif
