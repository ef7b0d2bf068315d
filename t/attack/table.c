/*
 * Every operation, at every level, on what exists and what does not, by every route, in directories
 * of every level, against the expectation table; and where something is refused the source stays as
 * it was. Run as: table SOURCE VIEW
 */
#include "../tap.h"
#include "arena.h"
#include "manifest.h"

#include "scopefs/mem.h"

#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char *view;
static bool modes_decide; /* the kernel checks permissions */
static int source_fd;

static const char *told(int number)
{
    return number ? strerrorname_np(number) : "success";
}

static struct expected expected_at(const struct row *row, enum arena_level level)
{
    switch (level) {
    case AT_NONE:
        return (struct expected){row->none, row->none};
    case AT_VIEW:
        return row->view;
    case AT_READ:
        return row->read;
    case AT_WRITE:
        return row->write;
    default:
        return row->way;
    }
}

/* What the table says, unless the route itself needs the object: that is a lookup. */
static int expected_by(const struct row *row, enum arena_level level, enum route route,
                       bool present)
{
    struct expected expected = expected_at(row, level);
    if (route == BY_PROC_TARGET && (!present || level == AT_NONE))
        return ENOENT;
    return present ? expected.present : expected.absent;
}

struct attack {
    const struct row *row;
    enum arena_level level;
    const char *parent;
    unsigned wrong;
};

/* One operation in an arena. */
static void strike(struct attack *attack, const struct arena *arena, enum route route, bool present)
{
    const struct row *row = attack->row;
    struct place place;
    char name[64];
    snprintf(name, sizeof(name), "%s-%s", arena_levels[attack->level],
             present ? arena_kinds[row->kind] : "gone");
    int got = place_open(&place, route, arena->shown, name);
    if (!got)
        got = row->run(&place);
    place_close(&place);
    int expected = expected_by(row, attack->level, route, present);
    if (got == expected)
        return;
    attack->wrong++;
    diag("%s of %s in %s, %s: got %s, expected %s", row->name, name, attack->parent,
         route_names[route], told(got), told(expected));
}

static void check_unchanged(struct attack *attack, const struct arena *arena, const char *before)
{
    cleanup_free char *after = manifest_take(arena->fd);
    if (strcmp(before, after) == 0)
        return;
    attack->wrong++;
    diag("%s of %s-%s in %s changed the source:", attack->row->name, arena_levels[attack->level],
         arena_kinds[attack->row->kind], attack->parent);
    manifest_tell(before, after);
}

static bool has_route(const struct row *row, enum route route)
{
    return route != BY_PROC_TARGET || (row->flags & BY_OBJECT);
}

static void strike_unchanging(struct attack *attack)
{
    struct arena arena = arena_make(source_fd, view, attack->parent, attack->row->kind);
    cleanup_free char *before = manifest_take(arena.fd);
    for (enum route route = 0; route < ROUTES; route++) {
        if (!has_route(attack->row, route))
            continue;
        strike(attack, &arena, route, true);
        strike(attack, &arena, route, false);
    }
    check_unchanged(attack, &arena, before);
    arena_remove(&arena);
}

/* Every allowed change in an arena of its own; by all routes in one parent, by one in the others.
 */
static void strike_changing(struct attack *attack)
{
    bool all = attack->parent == arena_parents[0];
    for (enum route route = 0; route < ROUTES; route++) {
        if (!has_route(attack->row, route) || !(all || route == BY_DIRECTORY_FD))
            continue;
        for (int present = 0; present < 2; present++) {
            struct arena arena = arena_make(source_fd, view, attack->parent, attack->row->kind);
            cleanup_free char *before = manifest_take(arena.fd);
            strike(attack, &arena, route, present);
            if (expected_by(attack->row, attack->level, route, present))
                check_unchanged(attack, &arena, before);
            arena_remove(&arena);
        }
    }
}

static void check_row(const struct row *row)
{
    for (enum arena_level level = AT_NONE; level < ARENA_LEVELS; level++) {
        struct attack attack = {.row = row, .level = level};
        struct expected expected = expected_at(row, level);
        bool refused = expected.present && expected.absent;
        if (level == AT_WAY && row->kind != A_DIRECTORY)
            continue;
        for (size_t i = 0; i < ARENA_PARENTS; i++) {
            attack.parent = arena_parents[i];
            (refused || !(row->flags & CHANGES) ? strike_unchanging : strike_changing)(&attack);
        }
        ok(attack.wrong == 0, "%s, %s %s: %s, where there is none %s", row->name,
           arena_levels[level], arena_kinds[row->kind], told(expected.present),
           told(expected.absent));
    }
}

/* FUSE_TMPFILE came with Linux 6.1. */
static bool has_nameless(void)
{
    struct utsname system;
    char *rest;
    if (uname(&system) < 0)
        return false;
    unsigned long major = strtoul(system.release, &rest, 10);
    unsigned long minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;
    return FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17) && (major > 6 || (major == 6 && minor >= 1));
}

static void check_rows(const struct row *rows, size_t count)
{
    unsigned out = has_nameless() ? WITHOUT_NAMELESS : WITH_NAMELESS;
    out |= modes_decide ? BY_LEVEL : BY_MODE;
    if (geteuid() != 0)
        out |= NEEDS_ROOT;
    for (size_t i = 0; i < count; i++)
        if (!(rows[i].flags & out))
            check_row(&rows[i]);
}

/* --- descriptors held from before --- */

static int expected_held(const struct held_row *row, enum arena_level level)
{
    switch (level) {
    case AT_VIEW:
        return row->view;
    case AT_READ:
        return row->read;
    case AT_WRITE:
        return row->write;
    default:
        return row->way;
    }
}

/* The most that the level allows to open. */
static int best_flags(enum kind kind, enum arena_level level)
{
    if (kind == A_DIRECTORY)
        return O_RDONLY | O_DIRECTORY;
    if (level == AT_VIEW)
        return O_PATH;
    return level == AT_READ ? O_RDONLY : O_RDWR;
}

static unsigned check_held_in(const struct held_row *row, enum arena_level level,
                              const char *parent)
{
    struct arena arena = arena_make(source_fd, view, parent, row->kind);
    struct place place;
    char name[64];
    unsigned wrong = 0;
    int expected = expected_held(row, level);
    snprintf(name, sizeof(name), "%s-%s", arena_levels[level], arena_kinds[row->kind]);
    place_open(&place, BY_DIRECTORY_FD, arena.shown, name);
    cleanup_free char *before = manifest_take(arena.fd);
    int fd = openat(place.directory_fd, name, best_flags(row->kind, level) | O_CLOEXEC);
    int got = fd < 0 ? errno : row->run(fd, &place);
    if (got != expected) {
        wrong++;
        diag("%s of %s in %s: got %s, expected %s", row->name, name, parent, told(got),
             told(expected));
    }
    close(fd);
    cleanup_free char *after = manifest_take(arena.fd);
    if ((expected || !(row->flags & CHANGES)) && strcmp(before, after) != 0) {
        wrong++;
        diag("%s of %s in %s changed the source:", row->name, name, parent);
        manifest_tell(before, after);
    }
    place_close(&place);
    arena_remove(&arena);
    return wrong;
}

static void check_held_row(const struct held_row *row)
{
    for (enum arena_level level = AT_VIEW; level < ARENA_LEVELS; level++) {
        unsigned wrong = 0;
        if (level == AT_WAY && row->kind != A_DIRECTORY)
            continue;
        for (size_t i = 0; i < ARENA_PARENTS; i++)
            wrong += check_held_in(row, level, arena_parents[i]);
        ok(wrong == 0, "%s, %s %s held open: %s", row->name, arena_levels[level],
           arena_kinds[row->kind], told(expected_held(row, level)));
    }
}

int main(int argc, char **argv)
{
    modes_decide = argc == 4 && strcmp(argv[3], "modes") == 0;
    source_fd = argc == 3 || modes_decide ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (source_fd < 0 || mkdirat(source_fd, "arena", 0755) < 0) {
        fprintf(stderr, "table: run me as: table SOURCE VIEW [modes]\n");
        return 2;
    }
    view = argv[2];
    umask(022);
    int outside_fd = openat(source_fd, "outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_free char *outside = manifest_take(outside_fd);
    check_rows(look_rows, look_row_count);
    check_rows(change_rows, change_row_count);
    for (size_t i = 0; i < held_row_count; i++)
        check_held_row(&held_rows[i]);
    cleanup_free char *outside_after = manifest_take(outside_fd);
    is_string(outside_after, outside, "nothing beside the arenas was changed");
    return done_testing();
}
