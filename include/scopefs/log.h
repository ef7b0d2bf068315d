/*
 * The owner's log: lines with a time and a level to one descriptor, from any thread. Nothing that
 * is written here ever reaches the agent. Names inside a message go through strbuf_add_quoted
 * first.
 */
#ifndef SCOPEFS_LOG_H
#define SCOPEFS_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Sends the lines to `fd` (borrowed; default: standard error) down to `level` (default: info). Call
 * before the first thread starts. */
void log_to(int fd, enum log_level level);

/* Where the lines go: for what a library writes to standard error by itself. Borrowed. */
int log_descriptor(void);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
