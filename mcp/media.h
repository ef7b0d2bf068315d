/* What kind of data a file has, by its name. */
#ifndef SCOPEFS_MCP_MEDIA_H
#define SCOPEFS_MCP_MEDIA_H

#include <jansson.h>
#include <stddef.h>

/* The MIME type that the suffix stands for. */
const char *media_type(const char *name);

/* A new text of JSON. */
json_t *media_base64(const char *bytes, size_t size);

#endif
