/*
 * Directories with hidden entries beside twins without any, and hidden names beside names that are
 * not there: what the view shows of both is the same. Run as: twins SOURCE VIEW, where names that
 * begin with "none-" are hidden, and so are files (not directories) that begin with "way-".
 */
#include "../tap.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static const char *source, *view;

static void must(long result, const char *what)
{
    if (result >= 0)
        return;
    perror(what);
    exit(2);
}

static void make_file(const char *directory, const char *name)
{
    cleanup_free char *path = xasprintf("%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    must(fd, path);
    must(write(fd, "content\n", 8), path);
    close(fd);
}

/* So many hidden entries that a directory of the source needs several blocks. */
static void hide_in(const char *directory)
{
    for (unsigned i = 0; i < 200; i++) {
        char name[64];
        snprintf(name, sizeof(name), "none-file-with-a-longer-name-%u", i);
        make_file(directory, name);
    }
    for (unsigned i = 0; i < 5; i++) {
        cleanup_free char *path = xasprintf("%s/none-directory-%u", directory, i);
        must(mkdir(path, 0755), path);
    }
    make_file(directory, "way-file");
    cleanup_free char *link = xasprintf("%s/none-link", directory);
    must(symlink("seen-1", link), link);
}

static void make_twin(const char *parent, const char *name, bool hides)
{
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    cleanup_free char *path = xasprintf("%s/%s-%s", source, parent, name);
    cleanup_free char *below = xasprintf("%s/seen-directory", path);
    must(mkdir(path, 0755), path);
    must(mkdir(below, 0755), below);
    make_file(path, "seen-1");
    if (hides)
        hide_in(path);
    make_file(path, "seen-2");
    make_file(path, "seen-3");
    must(utimensat(AT_FDCWD, path, times, 0), path);
}

/* --- what can be seen of a directory --- */

static void add_stat(struct strbuf *text, const char *path)
{
    struct statx found;
    struct statfs system;
    must(statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_ALL, &found), path);
    strbuf_add_format(text,
                      "mask %x attributes %llx mode %o links %u size %llu blocks %llu of %u owner "
                      "%u:%u modified %lld.%u device %u:%u\n",
                      found.stx_mask, (unsigned long long)found.stx_attributes, found.stx_mode,
                      found.stx_nlink, (unsigned long long)found.stx_size,
                      (unsigned long long)found.stx_blocks, found.stx_blksize, found.stx_uid,
                      found.stx_gid, (long long)found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec,
                      found.stx_dev_major, found.stx_dev_minor);
    must(statfs(path, &system), path);
    strbuf_add_format(text, "system %lx of %ld names %ld, attributes %zd\n",
                      (unsigned long)system.f_type, (long)system.f_bsize, (long)system.f_namelen,
                      listxattr(path, NULL, 0));
}

static int by_text(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* Offsets in their order, names sorted: the order follows from what can be seen, inode numbers,
 * which differ here. */
static void add_listing(struct strbuf *text, const char *path)
{
    char *names[64];
    size_t count = 0;
    DIR *directory = opendir(path);
    must(directory ? 0 : -1, path);
    for (struct dirent *entry; (entry = readdir(directory)) && count < 64;) {
        strbuf_add_format(text, "offset %ld\n", telldir(directory));
        names[count++] = xasprintf("%s type %u", entry->d_name, entry->d_type);
    }
    strbuf_add_format(text, "first %.*s and %.*s\n", 3, names[0], 3, names[1]);
    qsort(names, count, sizeof(*names), by_text);
    for (size_t i = 0; i < count; i++) {
        strbuf_add_format(text, "%s\n", names[i]);
        free(names[i]);
    }
    seekdir(directory, 2);
    strbuf_add_format(text, "at 2: %s\n", readdir(directory) ? "an entry" : "the end");
    seekdir(directory, 5);
    strbuf_add_format(text, "at 5: %s\n", readdir(directory) ? "an entry" : "the end");
    seekdir(directory, 100);
    strbuf_add_format(text, "at 100: %s\n", readdir(directory) ? "an entry" : "the end");
    strbuf_add_format(text, "end %ld\n", (long)lseek(dirfd(directory), 0, SEEK_END));
    closedir(directory);
}

/* With a buffer for one entry only, a hidden one would show as a shorter answer. */
static void add_small_reads(struct strbuf *text, const char *path)
{
    char bytes[48];
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(fd, path);
    for (long got; (got = syscall(SYS_getdents64, fd, bytes, sizeof(bytes))) != 0;)
        strbuf_add_format(text, "read %s\n", got < 0 ? strerrorname_np(errno) : "some");
    close(fd);
}

static char *seen_of(const char *parent, const char *twin)
{
    struct strbuf text = {0};
    cleanup_free char *path = xasprintf("%s/%s-%s", view, parent, twin);
    add_stat(&text, path);
    add_listing(&text, path);
    add_small_reads(&text, path);
    strbuf_add_format(&text, "may be written %d, opened for nameless files %d\n",
                      access(path, W_OK) < 0 ? errno : 0,
                      open(path, O_TMPFILE | O_RDWR, 0600) < 0 ? errno : 0);
    return strbuf_steal(&text);
}

/* The source's own order would tell how many entries there are besides. An offset follows from the
 * name alone, as the comparison of twins shows. */
static bool is_in_order(const char *parent, const char *twin)
{
    cleanup_free char *path = xasprintf("%s/%s-%s", view, parent, twin);
    DIR *directory = opendir(path);
    must(directory ? 0 : -1, path);
    off_t before = 0;
    bool in_order = true;
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        in_order = in_order && entry->d_off > before;
        before = entry->d_off;
    }
    closedir(directory);
    return in_order;
}

static void check_directories(const char *parent)
{
    make_twin(parent, "with", true);
    make_twin(parent, "without", false);
    cleanup_free char *with = seen_of(parent, "with"), *without = seen_of(parent, "without");
    is_string(with, without,
              "a %s directory with 207 hidden entries looks like one without: links, size, blocks, "
              "times, offsets, names",
              parent);
    ok(is_in_order(parent, "with") && is_in_order(parent, "without"),
       "and a %s directory is listed in the order of what is seen", parent);
}

/* --- names --- */

struct probe {
    const char *name;
    int (*run)(const char *path);
};

static int answer(long result)
{
    return result < 0 ? errno : 0;
}

static int probe_stat(const char *path)
{
    struct stat found;
    return answer(stat(path, &found));
}

static int probe_open(const char *path)
{
    return answer(open(path, O_RDONLY));
}

static int probe_create(const char *path)
{
    return answer(open(path, O_RDWR | O_CREAT, 0644));
}

static int probe_mkdir(const char *path)
{
    return answer(mkdir(path, 0755));
}

static int probe_symlink(const char *path)
{
    return answer(symlink("x", path));
}

static int probe_unlink(const char *path)
{
    return answer(unlink(path));
}

static int probe_rmdir(const char *path)
{
    return answer(rmdir(path));
}

static int probe_below(const char *path)
{
    cleanup_free char *below = xasprintf("%s/x", path);
    return probe_stat(below);
}

static int probe_create_below(const char *path)
{
    cleanup_free char *below = xasprintf("%s/x", path);
    return probe_create(below);
}

static int probe_slash(const char *path)
{
    cleanup_free char *with_slash = xasprintf("%s/", path);
    return probe_stat(with_slash);
}

static const struct probe probes[] = {
    {"stat", probe_stat},
    {"open", probe_open},
    {"create", probe_create},
    {"mkdir", probe_mkdir},
    {"symlink", probe_symlink},
    {"unlink", probe_unlink},
    {"rmdir", probe_rmdir},
    {"stat below it", probe_below},
    {"create below it", probe_create_below},
    {"stat with a slash", probe_slash},
};

/* Each operation with both names, first uncached, then again. */
static void check_names(const char *parent, const char *hidden, const char *absent)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        for (unsigned again = 0; again < 2; again++) {
            cleanup_free char *one = xasprintf("%s/%s-with/%s", view, parent, hidden);
            cleanup_free char *other = xasprintf("%s/%s-with/%s", view, parent, absent);
            int got = probes[i].run(one), twin = probes[i].run(other);
            if (got == twin)
                continue;
            wrong++;
            diag("%s: %s for what is hidden, %s for what is not there", probes[i].name,
                 strerrorname_np(got), strerrorname_np(twin));
        }
    }
    ok(wrong == 0, "in a %s directory, '%s' answers as '%s', which is not there", parent, hidden,
       absent);
}

/* --- time: told, never judged --- */

static int by_number(const void *one, const void *other)
{
    long left = *(const long *)one, right = *(const long *)other;
    return (left > right) - (left < right);
}

static long lookup_ns(const char *path)
{
    struct timespec start, end;
    struct stat found;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (stat(path, &found) == 0)
        diag("%s is not hidden", path);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec;
}

static void tell_times(const char *kind, const char *parent, const char *hidden_format,
                       const char *absent_format, unsigned count)
{
    long hidden[200], absent[200];
    for (unsigned i = 0; i < count; i++) {
        cleanup_free char *one = xasprintf("%s/%s-with/%s%u", view, parent, hidden_format, i);
        cleanup_free char *other = xasprintf("%s/%s-with/%s%u", view, parent, absent_format, i);
        hidden[i] = lookup_ns(one);
        absent[i] = lookup_ns(other);
    }
    qsort(hidden, count, sizeof(long), by_number);
    qsort(absent, count, sizeof(long), by_number);
    note("time of an uncached stat of %s: hidden %ld ns, absent %ld ns, ratio %.3f (medians of %u)",
         kind, hidden[count / 2], absent[count / 2],
         (double)hidden[count / 2] / (double)absent[count / 2], count);
}

int main(int argc, char **argv)
{
    static const char *const parents[] = {"write", "read", "view", "way"};
    if (argc != 3) {
        fprintf(stderr, "twins: run me as: twins SOURCE VIEW\n");
        return 2;
    }
    source = argv[1];
    view = argv[2];
    umask(022);
    for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
        check_directories(parents[i]);
        tell_times("a name in", parents[i], "none-file-with-a-longer-name-",
                   "none-that-has-as-long-a-name-", 200);
        check_names(parents[i], "none-directory-1", "none-nothing-here");
        check_names(parents[i], "none-link", "none-nothing-at-all");
        check_names(parents[i], "way-file", "way-nothing");
        check_names(parents[i], "none-directory-1/x", "none-nothing-here/x");
    }
    return done_testing();
}
