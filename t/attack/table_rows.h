/*
 * The expectation table: what each operation answers at each level, for what exists and what does
 * not. It is DESIGN's errno table, written out operation by operation.
 */
#ifndef T_ATTACK_TABLE_ROWS_H
#define T_ATTACK_TABLE_ROWS_H

#include "place.h"

#include <errno.h>
#include <fcntl.h>

enum kind { A_FILE, A_DIRECTORY, A_LINK, A_FIFO, A_SOCKET, KINDS };

enum row_flags {
    BY_OBJECT = 1,     /* it can also be done through /proc/self/fd of the object */
    CHANGES = 2,       /* where it is allowed, the source is another afterwards */
    NEEDS_ROOT = 4,    /* an ordinary user's kernel answers before the view is asked */
    WITH_NAMELESS = 8, /* where libfuse and the kernel pass O_TMPFILE on */
    WITHOUT_NAMELESS = 16,
    BY_LEVEL = 32, /* where the view answers by the level alone */
    BY_MODE = 64,  /* where the kernel goes by the modes that the levels leave, and refuses first */
};

/* Expected errnos, 0 for success: of what exists, and of what does not. */
struct expected {
    int present, absent;
};

struct row {
    const char *name;
    int (*run)(const struct place *place);
    enum kind kind;
    unsigned flags;
    int none; /* one number: hidden and absent must not be told apart */
    struct expected view, read, write;
    struct expected way; /* rows of directories alone */
};

extern const struct row look_rows[]; /* table_look.c */
extern const size_t look_row_count;
extern const struct row change_rows[]; /* table_change.c */
extern const size_t change_row_count;

/* Rows for a descriptor that is held from before, opened with all that the level allows (O_PATH
 * where it allows nothing). `place` is the directory, with the names write-spare and write-absent
 * in it. */
struct held_row {
    const char *name;
    int (*run)(int fd, const struct place *place);
    enum kind kind;
    unsigned flags;
    int view, read, write, way;
};

extern const struct held_row held_rows[]; /* table_held.c */
extern const size_t held_row_count;

/* What a system call answered. */
static inline int answer(long result)
{
    return result < 0 ? errno : 0;
}

/* The object's /proc/self/fd entry is a link that has to be followed. */
static inline int no_follow(const struct place *place)
{
    return place->target_fd < 0 ? AT_SYMLINK_NOFOLLOW : 0;
}

#endif
