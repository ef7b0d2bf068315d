/*
 * Runs a fuzz target on the inputs that are kept of it, as a test: those in the files and folders
 * on the command line, else in the target's own corpus, SCOPEFS_SRCDIR/t/fuzz/corpus/TARGET.
 */
#include "../tap.h"
#include "fuzz.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

enum { INPUT_LIMIT = 1 << 20 };

static unsigned long replayed;

static void replay_file(const char *path)
{
    size_t size;
    cleanup_free char *contents = NULL;
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fd_read_file(fd, INPUT_LIMIT, &contents, &size) < 0) {
        perror(path);
        exit(2);
    }
    LLVMFuzzerTestOneInput((const uint8_t *)contents, size);
    replayed++;
}

static void replay(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        replay_file(path);
        return;
    }
    for (int i = 0; i < count; i++) {
        cleanup_free char *below = xasprintf("%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            replay_file(below);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    const char *source = getenv("SCOPEFS_SRCDIR");
    cleanup_free char *target = xstrdup(argv[0]);
    const char *name = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
    alarm(120);
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (argc == 1) {
        cleanup_free char *corpus = xasprintf("%s/t/fuzz/corpus/%s", source ? source : ".", name);
        replay(corpus);
    }
    ok(replayed > 0, "%s takes the %lu inputs that are kept", name, replayed);
    return done_testing();
}
