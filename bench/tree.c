/*
 * Makes a folder with a given number of small files, the same ones each time: source-like text in
 * folders of twenty, four parts at the top, a few links, and a few files that the rules of the
 * benchmark hide. Or so many empty files, in folders of a hundred.
 *
 *     tree DIR FILES [empty]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX 8192

static const char *const words[] = {
    "return", "static",  "const",  "buffer", "length", "include", "struct", "value",
    "if",     "else",    "while",  "count",  "name",   "parent",  "child",  "error",
    "import", "request", "answer", "open",   "close",  "read",    "write",  "socket",
    "table",  "column",  "index",  "total",  "price",  "order",   "user",   "account",
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static const char *const suffixes[] = {"c", "h", "md", "json", "py", "ts", "txt", "html"};
#define SUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

static uint32_t next_random(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "tree: cannot %s %s: %s\n", what, path, strerror(errno));
    exit(1);
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        fail("make", path);
}

static void make_file(const char *path, const char *content, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        fail("create", path);
    if (length && write(fd, content, length) != (ssize_t)length)
        fail("write", path);
    close(fd);
}

/* Between 200 bytes and 8 KiB, most of them below 3 KiB: as in a source tree. */
static size_t make_text(char *text, uint32_t *random)
{
    uint32_t size = 200 + next_random(random) % 2800;
    if (next_random(random) % 8 == 0)
        size += next_random(random) % 5000;
    size_t length = 0;
    while (length < size) {
        const char *word = words[next_random(random) % WORDS];
        char end = next_random(random) % 9 ? ' ' : '\n';
        length += (size_t)snprintf(text + length, FILE_BYTES_MAX - length, "%s%c", word, end);
    }
    return length;
}

static void make_source_file(const char *folder, unsigned number, uint32_t *random)
{
    char path[512], target[64], text[FILE_BYTES_MAX];
    const char *suffix = suffixes[number % SUFFIXES];
    snprintf(target, sizeof(target), "some-file-%u.%s", number, suffix);
    snprintf(path, sizeof(path), "%s/%s", folder, target);
    make_file(path, text, make_text(text, random));
    if (number % 50 == 0) {
        snprintf(path, sizeof(path), "%s/link-%u", folder, number);
        if (symlink(target, path) < 0)
            fail("link", path);
    }
    if (number % 400 == 0) {
        snprintf(path, sizeof(path), "%s/.env", folder);
        make_file(path, "PASSWORD=secret\n", 16);
    }
}

static void make_source_tree(const char *top, unsigned files)
{
    uint32_t random = 1;
    char folder[256];
    for (unsigned number = 0; number < files; number++) {
        unsigned place = number / 20, part = place % 4, module = place / 40, inner = place / 4 % 10;
        if (number % 20 == 0) {
            snprintf(folder, sizeof(folder), "%s/%c", top, 'a' + (char)part);
            make_folder(folder);
            snprintf(folder, sizeof(folder), "%s/%c/module-%u", top, 'a' + (char)part, module);
            make_folder(folder);
            snprintf(folder, sizeof(folder), "%s/%c/module-%u/part-%u", top, 'a' + (char)part,
                     module, inner);
            make_folder(folder);
        }
        make_source_file(folder, number, &random);
    }
}

static void make_empty_files(const char *top, unsigned files)
{
    char folder[256], path[512];
    for (unsigned number = 0; number < files; number++) {
        if (number % 100 == 0) {
            snprintf(folder, sizeof(folder), "%s/module-%u", top, number / 10000);
            make_folder(folder);
            snprintf(folder, sizeof(folder), "%s/module-%u/part-%u", top, number / 10000,
                     number / 100 % 100);
            make_folder(folder);
        }
        snprintf(path, sizeof(path), "%s/some-file-%u.txt", folder, number);
        make_file(path, NULL, 0);
    }
}

int main(int argc, char **argv)
{
    char *rest = NULL;
    unsigned long files = argc > 2 ? strtoul(argv[2], &rest, 10) : 0;
    bool empty = argc == 4 && !strcmp(argv[3], "empty");
    if ((argc != 3 && !empty) || *rest || !files || files > 100000000 || strlen(argv[1]) > 200) {
        fputs("usage: tree DIR FILES [empty]\n", stderr);
        return 2;
    }
    make_folder(argv[1]);
    if (empty)
        make_empty_files(argv[1], (unsigned)files);
    else
        make_source_tree(argv[1], (unsigned)files);
    return 0;
}
