/* An ini file as a list of sections and settings with their places. inih parses it; see ini_line.h
 * for what is checked before. */
#ifndef RULES_INI_READER_H
#define RULES_INI_READER_H

#include "arena.h"
#include "ini_line.h"

/* [KIND NAME] */
struct ini_section {
    const char *kind, *name; /* `name` is NULL when there is one word only */
    unsigned line, column, name_column;
    bool broken; /* something is wrong with its line; `kind` is what it may be, `name` is NULL */
    bool has_broken_line; /* there may be a setting that is not in the list */
    struct ini_section *next;
};

struct ini_setting {
    const struct ini_section *section;
    const char *key, *value;
    unsigned key_column;
    struct ini_line line;
    struct ini_setting *next;
};

struct ini_file {
    const char *name;
    struct ini_section *sections;
    struct ini_setting *settings; /* in the order of their sections */
};

/* Reads the contents of the file `name`; everything is allocated from `arena`. What is wrong goes
 * to `diagnostics`; what is right is returned all the same, so that more can be found wrong in it.
 */
struct ini_file *ini_read(struct arena *arena, const char *name, const char *contents, size_t size,
                          struct diagnostics *diagnostics);

/* Where the byte `offset` of the value stands, from 1. */
unsigned ini_setting_column(const struct ini_setting *setting, size_t offset);

#endif
