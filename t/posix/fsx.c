/*
 * One file, changed and read at random in every way there is, and compared with a copy in memory
 * after each step. Usage: fsx FILE HOST_FILE OPERATIONS [direct] [nomap], where HOST_FILE is FILE
 * as the host has it. SCOPEFS_TEST_SEED repeats a run; "direct" goes past the kernel's cache.
 */
#include "worker.h"

#include "../tap.h"
#include "../unit/random.h"

#include <errno.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE_LIMIT = 400 * 1024, STEP_LIMIT = 70 * 1024, BLOCK = 4096, LOG = 40 };

static const char *path;
static int fd;
static bool direct, maps;
static unsigned char *shadow, *buffer;
static off_t size;

/* The last steps, told when something is wrong. */
static char history[LOG][80];
static unsigned steps;

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(history[steps % LOG], sizeof(history[0]), format, arguments);
    va_end(arguments);
}

__attribute__((noreturn)) static void fail(const char *what, off_t at)
{
    int failed = errno;
    for (unsigned i = steps < LOG ? 0 : steps - LOG + 1; i <= steps; i++)
        diag("%u: %s", i, history[i % LOG]);
    diag("%s, at byte %lld: %s", what, (long long)at, strerror(failed));
    ok(false, "%s", what);
    done_testing();
    exit(1);
}

struct range {
    off_t start;
    size_t length;
};

static struct range random_range(off_t limit)
{
    struct range range;
    range.start = (off_t)random_below((unsigned)limit);
    range.length = 1 + random_below(STEP_LIMIT);
    if (random_percent(30)) /* at the borders of pages */
        range.start &= ~(off_t)(BLOCK - 1);
    if (direct) {
        range.start &= ~(off_t)(BLOCK - 1);
        range.length = (range.length + BLOCK - 1) & ~(size_t)(BLOCK - 1);
    }
    if (range.start + (off_t)range.length > limit)
        range.length = (size_t)(limit - range.start);
    return range;
}

static void fill(unsigned char *bytes, size_t length)
{
    unsigned char value = (unsigned char)random_below(256);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(value + i * 7 + steps);
}

/* The file grows: what comes in between is zero. */
static void grow(off_t to)
{
    if (to > size)
        size = to;
}

static void compare(const unsigned char *got, struct range range, const char *what)
{
    for (size_t i = 0; i < range.length; i++)
        if (got[i] != shadow[range.start + (off_t)i]) {
            errno = 0;
            diag("%#x instead of %#x", got[i], shadow[range.start + (off_t)i]);
            fail(what, range.start + (off_t)i);
        }
}

static void do_read(void)
{
    struct range range = random_range(SIZE_LIMIT);
    tell("read %lld+%zu", (long long)range.start, range.length);
    ssize_t wanted = range.start >= size ? 0 : size - range.start;
    if (wanted > (ssize_t)range.length)
        wanted = (ssize_t)range.length;
    ssize_t got = pread(fd, buffer, range.length, range.start);
    if (got != wanted)
        fail("read has another length", got);
    range.length = (size_t)got;
    compare(buffer, range, "read has other bytes");
}

static void do_write(void)
{
    struct range range = random_range(SIZE_LIMIT);
    tell("write %lld+%zu", (long long)range.start, range.length);
    fill(buffer, range.length);
    if (pwrite(fd, buffer, range.length, range.start) != (ssize_t)range.length)
        fail("write", range.start);
    memcpy(shadow + range.start, buffer, range.length);
    grow(range.start + (off_t)range.length);
}

static void do_truncate(void)
{
    off_t to =
        direct ? (off_t)random_below(SIZE_LIMIT / BLOCK) * BLOCK : (off_t)random_below(SIZE_LIMIT);
    bool by_name = random_percent(30);
    tell("%s to %lld", by_name ? "truncate" : "ftruncate", (long long)to);
    if ((by_name ? truncate(path, to) : ftruncate(fd, to)) < 0)
        fail("truncate", to);
    if (to < size)
        memset(shadow + to, 0, (size_t)(size - to));
    size = to;
}

static void do_map_read(void)
{
    if (size == 0)
        return;
    struct range range = random_range(size);
    tell("map and read %lld+%zu", (long long)range.start, range.length);
    unsigned char *map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        fail("mmap", 0);
    compare(map + range.start, range, "mapping has other bytes");
    munmap(map, (size_t)size);
}

static void do_map_write(void)
{
    if (size == 0)
        return;
    struct range range = random_range(size);
    bool syncs = random_percent(50);
    tell("map and write %lld+%zu%s", (long long)range.start, range.length, syncs ? ", msync" : "");
    unsigned char *map = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        fail("mmap", 0);
    fill(map + range.start, range.length);
    memcpy(shadow + range.start, map + range.start, range.length);
    if (syncs && msync(map, (size_t)size, MS_SYNC) < 0)
        fail("msync", 0);
    munmap(map, (size_t)size);
}

static void do_allocate(void)
{
    struct range range = random_range(SIZE_LIMIT);
    bool keeps = random_percent(50);
    tell("fallocate %lld+%zu%s", (long long)range.start, range.length, keeps ? " keep size" : "");
    if (fallocate(fd, keeps ? FALLOC_FL_KEEP_SIZE : 0, range.start, (off_t)range.length) < 0)
        fail("fallocate", range.start);
    if (!keeps)
        grow(range.start + (off_t)range.length);
}

static void do_clear(void)
{
    struct range range = random_range(SIZE_LIMIT);
    bool punches = random_percent(50), keeps = punches || random_percent(50);
    int mode =
        (punches ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) | (keeps ? FALLOC_FL_KEEP_SIZE : 0);
    tell("%s %lld+%zu%s", punches ? "punch" : "zero", (long long)range.start, range.length,
         keeps ? " keep size" : "");
    if (fallocate(fd, mode, range.start, (off_t)range.length) < 0) {
        if (errno == EOPNOTSUPP) /* not every source has them */
            return;
        fail("punch or zero", range.start);
    }
    off_t end = range.start + (off_t)range.length;
    if (!keeps)
        grow(end);
    if (end > size)
        end = size;
    if (end > range.start)
        memset(shadow + range.start, 0, (size_t)(end - range.start));
}

static void do_copy(void)
{
    if (size == 0 || direct)
        return;
    struct range from = random_range(size);
    off_t to = (off_t)random_below(SIZE_LIMIT);
    if (to + (off_t)from.length > SIZE_LIMIT)
        from.length = (size_t)(SIZE_LIMIT - to);
    bool overlaps = to < from.start + (off_t)from.length && from.start < to + (off_t)from.length;
    if (overlaps || from.length == 0)
        return;
    tell("copy %lld+%zu to %lld", (long long)from.start, from.length, (long long)to);
    off_t from_at = from.start, to_at = to;
    for (size_t left = from.length; left > 0;) {
        ssize_t got = copy_file_range(fd, &from_at, fd, &to_at, left, 0);
        if (got <= 0)
            fail("copy_file_range", from_at);
        left -= (size_t)got;
    }
    memcpy(shadow + to, shadow + from.start, from.length);
    grow(to + (off_t)from.length);
}

static void open_again(void)
{
    tell("close and open");
    if (fd >= 0 && close(fd) < 0)
        fail("close", 0);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | (direct ? O_DIRECT : 0), 0644);
    if (fd < 0)
        fail("open", 0);
}

static void do_sync(void)
{
    bool data_only = random_percent(50);
    tell("%s", data_only ? "fdatasync" : "fsync");
    if ((data_only ? fdatasync(fd) : fsync(fd)) < 0)
        fail("fsync", 0);
}

static void step(void)
{
    static void (*const actions[])(void) = {
        do_read,      do_read,     do_read,     do_write,    do_write,
        do_write,     do_truncate, do_map_read, do_map_read, do_map_write,
        do_map_write, do_allocate, do_clear,    do_copy,     do_read,
    };
    unsigned pick = random_below(sizeof(actions) / sizeof(actions[0]));
    bool is_map = actions[pick] == do_map_read || actions[pick] == do_map_write;
    if (random_percent(1))
        do_sync();
    else if (random_percent(2))
        open_again();
    else
        (is_map && !maps ? do_read : actions[pick])();
    struct stat found;
    if (fstat(fd, &found) < 0 || found.st_size != size)
        fail("fstat tells another size", found.st_size);
    steps++;
}

static bool host_has_it(const char *host_path)
{
    int host = open(host_path, O_RDONLY | O_CLOEXEC);
    ssize_t got = host < 0 ? -1 : pread(host, buffer, SIZE_LIMIT, 0);
    if (host >= 0)
        close(host);
    return got == size && memcmp(buffer, shadow, (size_t)size) == 0;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("usage: fsx FILE HOST_FILE OPERATIONS [direct] [nomap]");
    unsigned operations = (unsigned)strtoul(argv[3], NULL, 10);
    path = argv[1];
    fd = -1;
    maps = true;
    for (int i = 4; i < argc; i++) {
        direct |= strcmp(argv[i], "direct") == 0;
        maps &= strcmp(argv[i], "nomap") != 0;
    }
    shadow = calloc(1, SIZE_LIMIT);
    buffer = aligned_alloc(BLOCK, SIZE_LIMIT + BLOCK);
    unlink(path);
    unsigned long seed = random_start((unsigned long)getpid() ^ (unsigned long)(now() * 1e6));
    note("SCOPEFS_TEST_SEED=%lu", seed);
    open_again();
    while (steps < operations)
        step();
    if (fsync(fd) < 0 || close(fd) < 0)
        fail("the last close", 0);
    const char *how = direct ? "past the cache" : maps ? "with mappings" : "without mappings";
    ok(host_has_it(argv[2]), "%u random operations on a file, %s: the host has what they made",
       steps, how);
    free(shadow);
    free(buffer);
    return done_testing();
}
