/* Making and reading files by path, for attack drivers: what fails here ends the test. */
#ifndef T_ATTACK_FILES_H
#define T_ATTACK_FILES_H

#include <stdbool.h>

/* Ends the test, naming `what`, when the result is negative. */
void must(long result, const char *what);

/* 0, or errno when the result is negative. */
int answer(long result);

/* Creates or overwrites the file. */
void file_write(const char *path, const char *content);

/* Whether it exists and has just this content. */
bool file_has(const char *path, const char *content);

/* Opens the path, reads from it into `content` (NUL-terminated; any leftover is not read) and closes
 * it. 0 or an errno. */
int file_read(const char *path, char *content, unsigned long size);

void directory_make(const char *path);

/* How many entries the directory has. */
unsigned directory_count(const char *path);

#endif
