#include "cgroup.h"

#include "cgroup_file.h"
#include "cgroup_scope.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_PREFIX "scopefs-exec-"
/* The kernel's usual period, over which a share of processor time is counted. */
#define CPU_PERIOD_US 100000
/* bwrap outside and the first process inside, which are no processes of the command. */
#define OWN_PROCESSES 2

static const struct {
    const char *name;
    unsigned bit;
} controllers[] = {
    {"memory", CGROUP_MEMORY},
    {"pids", CGROUP_PIDS},
    {"cpu", CGROUP_CPU},
    {"cpuacct", CGROUP_CPU_TIME},
};

unsigned cgroup_needed(const struct exec_limits *limits)
{
    return (limits->memory ? CGROUP_MEMORY : 0U) | (limits->processes ? CGROUP_PIDS : 0U) |
           (limits->cpu_percent ? CGROUP_CPU : 0U);
}

/* The bits of a list of controllers such as "rw,cpu,cpuacct" or "cpu memory pids". */
static unsigned bits_of(const char *list, const char *separators)
{
    unsigned bits = 0;
    cleanup_free char *copy = xstrdup(list);
    char *rest = NULL;
    for (char *word = strtok_r(copy, separators, &rest); word;
         word = strtok_r(NULL, separators, &rest))
        for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
            if (strcmp(word, controllers[i].name) == 0)
                bits |= controllers[i].bit;
    return bits;
}

/* --- Limits --- */

static bool set_memory(const char *path, bool is_v2, unsigned long long bytes)
{
    if (is_v2) {
        /* Otherwise swapped-out memory would not count. Not there without swap accounting. */
        (void)cgroup_file_write(path, "memory.swap.max", "0");
        return cgroup_file_write_number(path, "memory.max", bytes) == 0;
    }
    if (cgroup_file_write_number(path, "memory.limit_in_bytes", bytes) < 0)
        return false;
    (void)cgroup_file_write_number(path, "memory.memsw.limit_in_bytes", bytes);
    return true;
}

static bool set_cpu(const char *path, bool is_v2, unsigned long long percent)
{
    unsigned long long quota = percent * CPU_PERIOD_US / 100;
    cleanup_free char *both = xasprintf("%llu %d", quota, CPU_PERIOD_US);
    if (is_v2)
        return cgroup_file_write(path, "cpu.max", both) == 0;
    return cgroup_file_write_number(path, "cpu.cfs_period_us", CPU_PERIOD_US) == 0 &&
           cgroup_file_write_number(path, "cpu.cfs_quota_us", quota) == 0;
}

static unsigned set_limits(const char *path, bool is_v2, unsigned wanted,
                           const struct exec_limits *limits)
{
    unsigned held = wanted;
    if ((wanted & CGROUP_MEMORY) && limits->memory && !set_memory(path, is_v2, limits->memory))
        held &= ~(unsigned)CGROUP_MEMORY;
    if ((wanted & CGROUP_PIDS) && limits->processes &&
        cgroup_file_write_number(path, "pids.max", limits->processes + OWN_PROCESSES) < 0)
        held &= ~(unsigned)CGROUP_PIDS;
    if ((wanted & CGROUP_CPU) && limits->cpu_percent && !set_cpu(path, is_v2, limits->cpu_percent))
        held &= ~(unsigned)CGROUP_CPU;
    return held;
}

/* What a helper that was killed left behind. A group with processes cannot be removed. */
static void sweep(const char *parent)
{
    DIR *folder = opendir(parent);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t length = strlen(NAME_PREFIX);
        if (strncmp(entry->d_name, NAME_PREFIX, length) != 0)
            continue;
        long owner = strtol(entry->d_name + length, NULL, 10);
        if (owner > 0 && kill((pid_t)owner, 0) < 0 && errno == ESRCH)
            unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
    }
    if (folder)
        closedir(folder);
}

void cgroup_add(struct cgroup *cgroup, char *path, bool is_v2, unsigned wanted,
                const struct exec_limits *limits)
{
    if (mkdir(path, 0755) < 0 && errno != EEXIST) {
        free(path);
        return;
    }
    unsigned held = set_limits(path, is_v2, wanted, limits);
    if (held == 0) {
        rmdir(path);
        free(path);
        return;
    }
    cgroup->folders[cgroup->count++] =
        (struct cgroup_folder){.path = path, .is_v2 = is_v2, .held = held};
    cgroup->held |= held;
}

/* --- Where a group can be made --- */

/* The folder of the caller's own group in a hierarchy. Where the mount shows another part of it (a
 * container's), the mount point. The caller frees it. */
static char *own_folder(const struct mount_row *row, const char *controller)
{
    cleanup_free char *group = cgroup_file_group_of(getpid(), controller);
    size_t root = strcmp(row->root, "/") == 0 ? 0 : strlen(row->root);
    if (!group || strncmp(group, row->root, root) != 0)
        return xstrdup(row->point);
    const char *below = strcmp(group + root, "/") == 0 ? "" : group + root;
    char *path = xasprintf("%s%s", row->point, below);
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return xstrdup(row->point);
}

/* Processes below `parent` can have the controllers only when they are switched on there, which the
 * kernel refuses (EBUSY) while it has processes of its own. */
static unsigned switch_on(const char *parent, unsigned wanted)
{
    cleanup_free char *available = cgroup_file_read(parent, "cgroup.controllers");
    cleanup_free char *present = cgroup_file_read(parent, "cgroup.subtree_control");
    if (!available || !present)
        return 0;
    unsigned on = bits_of(present, " \n");
    unsigned possible = bits_of(available, " \n") & wanted & ~on;
    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
        cleanup_free char *text = xasprintf("+%s", controllers[i].name);
        if ((possible & controllers[i].bit) &&
            cgroup_file_write(parent, "cgroup.subtree_control", text) == 0)
            on |= controllers[i].bit;
    }
    /* Every group of version 2 counts processor time. */
    return (on | CGROUP_CPU_TIME) & wanted;
}

/* Moving a process needs cgroup.procs of the nearest group above both places. */
static bool may_make_groups(const char *folder)
{
    cleanup_free char *processes = xasprintf("%s/cgroup.procs", folder);
    return access(folder, W_OK) == 0 && access(processes, W_OK) == 0;
}

unsigned cgroup_find_v2_parent(const char *top, const char *own, unsigned wanted, char **parent)
{
    cleanup_free char *folder = xstrdup(own);
    unsigned best = 0;
    *parent = NULL;
    while (may_make_groups(folder)) {
        unsigned found = switch_on(folder, wanted);
        if (__builtin_popcount(found) > __builtin_popcount(best)) {
            free(*parent);
            *parent = xstrdup(folder);
            best = found;
        }
        char *slash = strrchr(folder, '/');
        if (best == wanted || strcmp(folder, top) == 0 || !slash || slash == folder)
            break;
        *slash = '\0';
    }
    return best;
}

static char *group_below(const char *parent)
{
    sweep(parent);
    return xasprintf("%s/" NAME_PREFIX "%d", parent, getpid());
}

static void add_v1(struct cgroup *cgroup, const struct mount_row *row, unsigned wanted,
                   const struct exec_limits *limits)
{
    const char *controller = NULL;
    for (size_t i = 0; !controller && i < sizeof(controllers) / sizeof(controllers[0]); i++)
        if (wanted & controllers[i].bit)
            controller = controllers[i].name;
    cleanup_free char *parent = own_folder(row, controller);
    if (may_make_groups(parent))
        cgroup_add(cgroup, group_below(parent), false, wanted, limits);
}

static void add_v2(struct cgroup *cgroup, const struct mount_row *row, unsigned wanted,
                   const struct exec_limits *limits)
{
    cleanup_free char *own = own_folder(row, "");
    cleanup_free char *parent = NULL;
    unsigned found = cgroup_find_v2_parent(row->point, own, wanted, &parent);
    if (parent)
        cgroup_add(cgroup, group_below(parent), true, found, limits);
}

/* Only for a limit that somebody set: it takes some time. */
static void add_scope(struct cgroup *cgroup, const struct mount_table *table,
                      const struct exec_limits *limits)
{
    unsigned missing = cgroup_needed(limits) & ~cgroup->held;
    for (size_t i = 0; missing && i < table->count; i++)
        if (strcmp(table->rows[i].type, "cgroup2") == 0 && geteuid() != 0 && cgroup->count == 0) {
            cgroup_scope_open(cgroup, &table->rows[i], missing | CGROUP_CPU_TIME, limits);
            return;
        }
}

void cgroup_open(struct cgroup *cgroup, const struct exec_limits *limits, unsigned wanted)
{
    cleanup_mount_table struct mount_table table = {0};
    *cgroup = (struct cgroup){0};
    if (wanted == 0 || mount_table_read(&table, NULL) < 0)
        return;
    size_t room = sizeof(cgroup->folders) / sizeof(cgroup->folders[0]);
    for (size_t i = 0; i < table.count && cgroup->count < room; i++) {
        const struct mount_row *row = &table.rows[i];
        unsigned missing = wanted & ~cgroup->held;
        if (strcmp(row->type, "cgroup") == 0 && (bits_of(row->options, ",") & missing))
            add_v1(cgroup, row, bits_of(row->options, ",") & missing, limits);
        else if (strcmp(row->type, "cgroup2") == 0 && missing)
            add_v2(cgroup, row, missing, limits);
    }
    add_scope(cgroup, &table, limits);
}

/* --- Its life --- */

int cgroup_enter(const struct cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->count; i++) {
        const struct cgroup_folder *folder = &cgroup->folders[i];
        int failed = folder->unit ? cgroup_scope_enter(folder)
                                  : cgroup_file_write(folder->path, "cgroup.procs", "0");
        if (failed)
            return -1;
    }
    return 0;
}

void cgroup_read(const struct cgroup *cgroup, struct cgroup_usage *usage)
{
    *usage = (struct cgroup_usage){0};
    for (size_t i = 0; i < cgroup->count; i++) {
        const struct cgroup_folder *folder = &cgroup->folders[i];
        const char *path = folder->path;
        if (folder->held & CGROUP_MEMORY) {
            usage->out_of_memory = cgroup_file_value(
                path, folder->is_v2 ? "memory.events" : "memory.oom_control", "oom_kill");
            usage->peak_memory = cgroup_file_value(
                path, folder->is_v2 ? "memory.peak" : "memory.max_usage_in_bytes", NULL);
        }
        if (folder->held & CGROUP_CPU_TIME)
            usage->cpu_us = folder->is_v2 ? cgroup_file_value(path, "cpu.stat", "usage_usec")
                                          : cgroup_file_value(path, "cpuacct.usage", NULL) / 1000;
    }
}

void cgroup_close(struct cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->count; i++) {
        if (cgroup->folders[i].unit)
            cgroup_scope_close(&cgroup->folders[i]);
        else
            rmdir(cgroup->folders[i].path);
        free(cgroup->folders[i].path);
    }
    *cgroup = (struct cgroup){0};
}
