/* A growing byte buffer. Always NUL-terminated behind `length` bytes once anything was added; the
 * bytes themselves may hold NULs. Memory exhaustion ends the process (see mem.h). */
#ifndef SCOPEFS_STRBUF_H
#define SCOPEFS_STRBUF_H

#include <stddef.h>

struct strbuf {
    char *bytes; /* NULL while nothing was added */
    size_t length;
    size_t room;
};

#define cleanup_strbuf __attribute__((cleanup(strbuf_free)))

void strbuf_add(struct strbuf *buffer, const void *bytes, size_t size);
void strbuf_add_text(struct strbuf *buffer, const char *text);
void strbuf_add_format(struct strbuf *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A JSON string with its quotes. Bytes that are not UTF-8 become the lone surrogates \udc80 to
 * \udcff, as Python's "surrogateescape" has them, so that no name is lost. */
void strbuf_add_json(struct strbuf *buffer, const char *bytes, size_t size);

/* For people: printable text stays, control characters and bytes that are not UTF-8 become \ooo, a
 * backslash becomes \\. A name can so never forge a line or a terminal sequence. */
void strbuf_add_quoted(struct strbuf *buffer, const char *bytes, size_t size);

/* Turns what strbuf_add_quoted made back into the bytes, in place. */
void strbuf_unquote(char *text);

/* Empties it but keeps the memory. */
void strbuf_clear(struct strbuf *buffer);

/* Gives the bytes ("" when nothing was added) to the caller, who frees them. */
char *strbuf_steal(struct strbuf *buffer);

void strbuf_free(struct strbuf *buffer);

#endif
