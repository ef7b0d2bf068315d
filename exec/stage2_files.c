#include "stage2_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h since 6.2, ABI 3; before that truncate(2) could not be refused. */
enum { ABI_WITH_TRUNCATE = 3, RIGHT_TO_TRUNCATE = 1 << 14 };

enum {
    TO_READ = LANDLOCK_ACCESS_FS_READ_FILE,
    TO_WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TO_TRUNCATE,
    /* Without a word of it, nothing could be renamed into another directory. */
    TO_MOVE = LANDLOCK_ACCESS_FS_REFER,
};

static uint64_t rights_of(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    switch (flags < 0 ? O_RDWR : flags & O_ACCMODE) {
    case O_RDONLY:
        return TO_READ;
    case O_WRONLY:
        return TO_WRITE;
    default:
        return TO_READ | TO_WRITE;
    }
}

static bool is_wanted(void)
{
    struct stat found;
    bool wanted = false;
    for (int fd = 0; fd < 3; fd++)
        wanted |= fstat(fd, &found) == 0 && S_ISREG(found.st_mode) &&
                  rights_of(fd) != (TO_READ | TO_WRITE);
    return wanted;
}

static int add_rule(int ruleset, int fd, uint64_t rights)
{
    const struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* Pipes, sockets and the like are not files that Landlock knows (EBADFD). */
static int add_standard(int ruleset)
{
    struct stat found;
    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &found) == 0 && add_rule(ruleset, fd, rights_of(fd)) < 0 && errno != EBADFD)
            return -1;
    return 0;
}

/* All that is mounted in the sandbox is below its root; a file of the host is not. */
static int add_sandbox(int ruleset)
{
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int added = root < 0 ? -1 : add_rule(ruleset, root, TO_READ | TO_WRITE | TO_MOVE);
    if (root >= 0)
        close(root);
    return added;
}

int stage2_files_hold(int program)
{
    const struct {
        uint64_t file_rights;
    } rules = {.file_rights = TO_READ | TO_WRITE | TO_MOVE};
    if (!is_wanted() || syscall(SYS_landlock_create_ruleset, NULL, 0,
                                LANDLOCK_CREATE_RULESET_VERSION) < ABI_WITH_TRUNCATE)
        return 0;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
    if (ruleset < 0)
        return -1;
    bool held = (program < 0 || add_rule(ruleset, program, TO_READ) == 0) &&
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && add_sandbox(ruleset) == 0 &&
                add_standard(ruleset) == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    int failed = errno;
    close(ruleset);
    errno = failed;
    return held ? 0 : -1;
}
