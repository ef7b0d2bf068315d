/*
 * One physical line of an ini file, looked at before inih sees it: inih cuts, truncates and skips
 * without a word, and here each of these is an error. What comes out is a line that inih reads in
 * exactly one way.
 */
#ifndef RULES_INI_LINE_H
#define RULES_INI_LINE_H

#include "scopefs/diagnostics.h"
#include "scopefs/strbuf.h"

#include <stdbool.h>
#include <stddef.h>

/* Stands for a ';' inside quotes while inih reads the line, as inih would start a comment there. */
#define INI_PROTECTED_SEMICOLON '\x01'

enum ini_line_kind { INI_BLANK, INI_SECTION, INI_SETTING, INI_BROKEN_SECTION, INI_BROKEN };

struct ini_line {
    const char *file;
    const char *text; /* as it stands in the file, without the end of line */
    size_t length;
    unsigned number;
    bool holds_patterns; /* it belongs to a section whose values are patterns */

    /* Set by ini_line_scan; offsets count in `text`. */
    enum ini_line_kind kind;
    size_t start, end; /* of a section's words, or of a key */
    size_t value_start, value_end;
    bool quoted; /* the value lies between the quotes at value_start - 1 and value_end */
};

/* Finds out what the line is; what is wrong with it goes to `diagnostics`. */
void ini_line_scan(struct ini_line *line, struct diagnostics *diagnostics);

/* What inih shall read in its place. */
void ini_line_write(const struct ini_line *line, struct strbuf *buffer);

/* Whether this is what inih has made of the line: key and value, as ini_line_write wrote them. */
bool ini_line_agrees(const struct ini_line *line, const char *key, const char *value);

/* The value without quotes and with \" as a quote. */
void ini_line_value(const struct ini_line *line, struct strbuf *value);

/* Where the byte `offset` of that value stands in the line, from 1. */
unsigned ini_line_column(const struct ini_line *line, size_t offset);

#endif
