/*
 * A work folder for a unit test, which goes away at exit, with configurations written from text.
 * The user's configuration folder lies in it, so that no preset of whoever runs the test is read;
 * the shipped presets are found there.
 */
#ifndef T_UNIT_SANDBOX_H
#define T_UNIT_SANDBOX_H

#include "scopefs/config.h"

/* The folder; made and XDG_CONFIG_HOME set at the first call. */
const char *sandbox(void);

/* Writes FOLDER/NAME; folders in NAME are made. */
void sandbox_write(const char *name, const void *bytes, size_t size);

/* Loads the text as FOLDER/scopefs.ini. */
struct config *load_text(const char *text, struct diagnostics *diagnostics);

/* The same for bytes that may hold NULs. */
struct config *load_bytes(const void *bytes, size_t size, struct diagnostics *diagnostics);

/* Loads a text without errors, or ends the test. */
struct config *must_load(const char *text);

/* What diagnostics_print says, with FOLDER/ taken off. The caller frees it. */
char *diagnostics_text(const struct diagnostics *diagnostics);

/* The name of the level of a path in the configuration's scope of that name. */
const char *level_of(const struct config *config, const char *scope, const char *path);

#endif
