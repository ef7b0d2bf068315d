#include "cgroup_scope.h"

#include "cgroup_file.h"
#include "process.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* For the manager to move a process, which it does after it has answered. */
enum { PATIENCE_MS = 5000, LOOK_MS = 2 };

struct words {
    const char *items[64];
    size_t count;
};

static void add(struct words *words, const char *word)
{
    words->items[words->count++] = word;
}

static void add_property(struct words *words, const char *name, const char *type, const char *value)
{
    add(words, name);
    add(words, type);
    add(words, value);
}

static void begin(struct words *words, const char *busctl, const char *method)
{
    static const char *const head[] = {"--user",
                                       "--quiet",
                                       "call",
                                       "org.freedesktop.systemd1",
                                       "/org/freedesktop/systemd1",
                                       "org.freedesktop.systemd1.Manager"};
    add(words, busctl);
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        add(words, head[i]);
    add(words, method);
}

static int run(const struct words *words)
{
    cleanup_fd int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return process_run(words->items, null_fd, -1, NULL) == 0 ? 0 : -1;
}

/* A group is there for as long as it has processes, and what it counted has to be read when those
 * of the command have ended. */
static pid_t start_holder(void)
{
    pid_t parent = getpid(), holder = fork();
    if (holder != 0)
        return holder;
    process_prepare_child();
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    close_range(0, ~0U, 0);
    while (getppid() == parent)
        pause();
    _exit(0);
}

static void end_holder(pid_t holder)
{
    kill(holder, SIGKILL);
    while (waitpid(holder, NULL, 0) < 0 && errno == EINTR)
        ;
}

static int start_unit(const char *busctl, const char *unit, pid_t holder, unsigned wanted,
                      const struct exec_limits *limits)
{
    struct words words = {.count = 0};
    cleanup_free char *process = xasprintf("%d", holder);
    cleanup_free char *memory = xasprintf("%llu", limits->memory);
    /* With bwrap outside, its first process inside, and the holder. */
    cleanup_free char *tasks = xasprintf("%llu", limits->processes + 3);
    cleanup_free char *share = xasprintf("%llu", limits->cpu_percent * 10000);
    bool has_memory = (wanted & CGROUP_MEMORY) && limits->memory;
    bool has_tasks = (wanted & CGROUP_PIDS) && limits->processes;
    bool has_share = (wanted & CGROUP_CPU) && limits->cpu_percent;
    cleanup_free char *count = xasprintf("%d", 4 + 2 * has_memory + has_tasks + has_share);
    begin(&words, busctl, "StartTransientUnit");
    add(&words, "ssa(sv)a(sa(sv))");
    add(&words, unit);
    add(&words, "fail");
    add(&words, count);
    add_property(&words, "Delegate", "b", "true");
    add_property(&words, "CollectMode", "s", "inactive-or-failed");
    add_property(&words, "CPUAccounting", "b", "true");
    add_property(&words, "PIDs", "au", "1");
    add(&words, process);
    if (has_memory) {
        add_property(&words, "MemoryMax", "t", memory);
        add_property(&words, "MemorySwapMax", "t", "0");
    }
    if (has_tasks)
        add_property(&words, "TasksMax", "t", tasks);
    if (has_share)
        add_property(&words, "CPUQuotaPerSecUSec", "t", share);
    add(&words, "0");
    return run(&words);
}

/* The folder of the group that the process is in, once it is that of the unit. NULL: it never is.
 */
static char *await_folder(const struct mount_row *row, pid_t process, const char *unit)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    for (int waited = 0; waited < PATIENCE_MS; waited += LOOK_MS) {
        cleanup_free char *group = cgroup_file_group_of(process, "");
        const char *last = group ? strrchr(group, '/') : NULL;
        if (last && strcmp(last + 1, unit) == 0)
            return xasprintf("%s%s", row->point, group);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* A manager that has not got a controller itself takes the limit, and does nothing. */
static unsigned held_in(const char *path, unsigned wanted)
{
    static const struct {
        unsigned bit;
        const char *file;
    } files[] = {{CGROUP_MEMORY, "memory.max"}, {CGROUP_PIDS, "pids.max"}, {CGROUP_CPU, "cpu.max"}};
    unsigned held = wanted & CGROUP_CPU_TIME;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        cleanup_free char *text = cgroup_file_read(path, files[i].file);
        if ((wanted & files[i].bit) && text && strncmp(text, "max", 3) != 0)
            held |= files[i].bit;
    }
    return held;
}

void cgroup_scope_open(struct cgroup *cgroup, const struct mount_row *row, unsigned wanted,
                       const struct exec_limits *limits)
{
    cleanup_free char *busctl = process_find_system_program("busctl");
    cleanup_free char *unit = xasprintf("scopefs-exec-%d.scope", getpid());
    pid_t holder = busctl && secure_getenv("XDG_RUNTIME_DIR") ? start_holder() : -1;
    if (holder < 0)
        return;
    cleanup_free char *path = NULL;
    if (start_unit(busctl, unit, holder, wanted, limits) == 0)
        path = await_folder(row, holder, unit);
    unsigned held = path ? held_in(path, wanted) : 0;
    if (held == 0) {
        end_holder(holder);
        return;
    }
    cgroup->folders[cgroup->count++] = (struct cgroup_folder){.path = steal_pointer(path),
                                                              .is_v2 = true,
                                                              .held = held,
                                                              .unit = steal_pointer(unit),
                                                              .holder = holder};
    cgroup->held |= held;
}

int cgroup_scope_enter(const struct cgroup_folder *folder)
{
    struct words words = {.count = 0};
    cleanup_free char *busctl = process_find_system_program("busctl");
    cleanup_free char *process = xasprintf("%d", getpid());
    begin(&words, busctl, "AttachProcessesToUnit");
    add(&words, "ssau");
    add(&words, folder->unit);
    add(&words, "");
    add(&words, "1");
    add(&words, process);
    errno = EPERM;
    return run(&words);
}

void cgroup_scope_close(struct cgroup_folder *folder)
{
    end_holder(folder->holder);
    free(folder->unit);
}
