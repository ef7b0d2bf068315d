/*
 * Races: while another thread swaps what is in the source as fast as it can, an agent opens, reads,
 * creates and renames in the view. Run as: race KIND SOURCE VIEW MILLISECONDS
 *
 * SOURCE/w is `write`, but /w/{one,other}-*\/anchored and all of /hidden are `none`. What is
 * hidden holds the canary. Symlinks are relative: in the view they lead to where nothing is, but a
 * server that follows them in the source finds the canary.
 */
#include "../tap.h"
#include "files.h"

#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char canary[] = "CANARY\n", fine[] = "fine\n";
static const char *source, *view;
static long milliseconds;
static struct timespec end;
static atomic_bool over;

/* For a second the kernel believes what it saw at a name, so there are many of them. */
enum { PAIRS_AT_MOST = 1024 };

static struct {
    char *one[PAIRS_AT_MOST], *other[PAIRS_AT_MOST]; /* exchanged all the time */
    /* O_PATH of what is swapped, from before: by it the server has to walk to the name again. */
    int held_fds[PAIRS_AT_MOST];
    unsigned pairs;
    bool blocks; /* `one` is made again at once when it is renamed away */
    unsigned long times;
} swap;

static void start_time(void)
{
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += milliseconds % 1000 * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_nsec -= 1000000000;
        end.tv_sec++;
    }
}

/* On a machine that has much else to do it goes on for longer, until something was done at all. */
enum { MORE_SECONDS = 40 };

static bool time_left(time_t more_seconds)
{
    struct timespec now;
    time_t end_s = end.tv_sec + more_seconds;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec < end_s || (now.tv_sec == end_s && now.tv_nsec < end.tv_nsec);
}

static void *swap_on(void *unused)
{
    for (unsigned i = 0; !atomic_load(&over); i = (i + 1) % swap.pairs) {
        if (renameat2(AT_FDCWD, swap.one[i], AT_FDCWD, swap.other[i], RENAME_EXCHANGE) == 0)
            swap.times++;
        else if (swap.blocks)
            close(open(swap.one[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    }
    return unused;
}

/* Runs the attack again and again while the swapping goes on. *done counts what worked. */
static void race(void (*attack)(unsigned long round), const unsigned long *done)
{
    unsigned long rounds = 0;
    pthread_t swapper;
    must(pthread_create(&swapper, NULL, swap_on, NULL) ? -1 : 0, "thread");
    start_time();
    while (time_left(*done ? 0 : MORE_SECONDS))
        attack(rounds++);
    atomic_store(&over, true);
    pthread_join(swapper, NULL);
    note("%lu rounds against %lu swaps", rounds, swap.times);
}

static char *in(const char *root, const char *name)
{
    return xasprintf("%s/%s", root, name);
}

/* What was seen in all rounds. */
static unsigned long read_well, read_canary, refused;

/* Adds a pair; both are made by the functions. */
static void add_pair(void (*make_one)(const char *path), void (*make_other)(const char *path))
{
    unsigned i = swap.pairs++;
    cleanup_free char *seen = xasprintf("%s/w/one-%u", view, i);
    swap.one[i] = xasprintf("%s/w/one-%u", source, i);
    swap.other[i] = xasprintf("%s/w/other-%u", source, i);
    make_one(swap.one[i]);
    make_other(swap.other[i]);
    swap.held_fds[i] = open(seen, O_PATH | O_CLOEXEC);
    must(swap.held_fds[i], seen);
}

/* Once the view has seen that something else is at a name, what was held is dead. */
static void hold_again(unsigned i)
{
    cleanup_free char *seen = xasprintf("%s/w/one-%u", view, i);
    int fd = open(seen, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    close(swap.held_fds[i]);
    swap.held_fds[i] = fd;
}

/* The held object, or a name in it. */
static char *held(unsigned i, const char *name)
{
    return xasprintf("/proc/self/fd/%d%s%s", swap.held_fds[i], name ? "/" : "", name ? name : "");
}

static void read_path(const char *path)
{
    char content[4096];
    if (file_read(path, content, sizeof(content)) != 0)
        refused++;
    else if (strstr(content, "CANARY"))
        read_canary++;
    else
        read_well++;
}

static void check_reads(const char *what)
{
    note("%lu reads, %lu refused", read_well, refused);
    is_int(read_canary, 0, "%s: what lies elsewhere was never read", what);
    ok(read_well > 0, "%s: what lies there was", what);
}

/* --- a directory, and a symlink to one outside --- */

static void make_fine(const char *path)
{
    file_write(path, fine);
}

static void make_link_to_file(const char *path)
{
    must(symlink("../hidden/f", path), path);
}

static void make_link_to_directory(const char *path)
{
    must(symlink("../hidden", path), path);
}

static void make_fifo(const char *path)
{
    must(mkfifo(path, 0644), path);
}

/* With "f" in it, or "anchored", which is hidden there. */
static void make_directory(const char *path)
{
    cleanup_free char *file = in(path, "f"), *secret = in(path, "anchored");
    directory_make(path);
    file_write(file, fine);
    file_write(secret, canary);
}

/* --- a directory, and a symlink to a hidden one --- */

static void attack_directory(unsigned long round)
{
    unsigned i = (unsigned)(round % swap.pairs);
    char name[64];
    snprintf(name, sizeof(name), "made-%lu", round);
    cleanup_free char *file = held(i, "f"), *made = held(i, name);
    read_path(file);
    int fd = open(made, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        close(fd);
    unlink(made);
    mkdir(made, 0755);
    rmdir(made);
    if (symlink("f", made) == 0)
        unlink(made);
    fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        must(pwrite(fd, fine, sizeof(fine) - 1, 0), "write");
        close(fd);
    }
    if (chmod(file, round % 2 ? 0600 : 0644) < 0 || truncate(file, sizeof(fine) - 1) < 0)
        refused++;
}

static void race_directory(void)
{
    cleanup_free char *hidden = in(source, "hidden"), *kept = in(hidden, "f");
    struct stat before, after;
    for (unsigned i = 0; i < 16; i++)
        add_pair(make_directory, make_link_to_directory);
    must(stat(kept, &before), kept);
    race(attack_directory, &read_well);
    check_reads("a directory swapped with a symlink to a hidden one");
    must(stat(kept, &after), kept);
    ok(file_has(kept, canary) && before.st_mode == after.st_mode &&
           before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
           before.st_ctim.tv_nsec == after.st_ctim.tv_nsec,
       "and nothing was changed through it");
    is_int(directory_count(hidden), 1, "nor made");
}

/* --- a file, and something else --- */

static void attack_file(unsigned long round)
{
    unsigned i = (unsigned)(round % swap.pairs);
    struct stat found;
    hold_again(i);
    cleanup_free char *file = held(i, NULL);
    if (stat(file, &found) < 0 || !S_ISREG(found.st_mode))
        return;
    read_path(file);
    int fd = open(file, (round % 2 ? O_RDWR : O_WRONLY) | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && pwrite(fd, fine, sizeof(fine) - 1, 0) < 0)
        refused++;
    if (fd >= 0)
        close(fd);
    if (truncate(file, sizeof(fine) - 1) < 0)
        refused++;
}

static void race_link(void)
{
    cleanup_free char *kept = in(source, "hidden/f");
    for (unsigned i = 0; i < PAIRS_AT_MOST; i++)
        add_pair(make_fine, make_link_to_file);
    race(attack_file, &read_well);
    check_reads("a file swapped with a symlink to a hidden one");
    ok(file_has(kept, canary), "and what the symlink leads to is unchanged");
}

static void race_fifo(void)
{
    for (unsigned i = 0; i < PAIRS_AT_MOST; i++)
        add_pair(make_fine, make_fifo);
    int writer = open(swap.other[0], O_RDWR | O_NONBLOCK | O_CLOEXEC);
    must(writer, swap.other[0]);
    must(write(writer, canary, sizeof(canary) - 1), "write into a FIFO");
    race(attack_file, &read_well);
    check_reads("a file swapped with a FIFO");
    char left[64] = "";
    must(read(writer, left, sizeof(left) - 1), "the FIFO still holds what was in it");
    is_string(left, canary, "and nothing was taken from the FIFO or put into it");
    close(writer);
}

/* --- a file that becomes a directory between the check and the rename --- */

static unsigned long renamed;

static void attack_rename(unsigned long round)
{
    cleanup_free char *from = in(view, "w/one-0"), *to = in(view, "w/elsewhere");
    cleanup_free char *secret = in(view, "w/elsewhere/anchored");
    (void)round;
    if (rename(from, to) == 0)
        renamed++;
    else
        refused++;
    read_path(secret);
    rename(to, from);
}

/* Below /w/one-* and /w/other-* the name "anchored" is hidden, below /w/elsewhere it is not; so the
 * directory may not become /w/elsewhere, whenever it takes the place of the file. */
static void race_rename(void)
{
    add_pair(make_fine, make_directory);
    race(attack_rename, &renamed);
    is_int(read_canary, 0, "a directory that races into a rename of a file shows nothing hidden");
    ok(renamed > 0, "while the file itself is renamed (%lu times, %lu refused)", renamed, refused);
}

static void race_rename_blocked(void)
{
    swap.blocks = true;
    race_rename();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } races[] = {
        {"directory", race_directory},
        {"link", race_link},
        {"fifo", race_fifo},
        {"rename", race_rename},
        {"rename-blocked", race_rename_blocked},
    };
    if (argc != 5) {
        fprintf(stderr, "race: run me as: race KIND SOURCE VIEW MILLISECONDS\n");
        return 2;
    }
    milliseconds = strtol(argv[4], NULL, 10);
    source = argv[2];
    view = argv[3];
    /* A server that hangs must not hang the test. */
    alarm(60);
    for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++)
        if (strcmp(races[i].name, argv[1]) == 0)
            races[i].run();
    return done_testing();
}
