/* Control groups, on folders that look like the kernel's: what is written where. */
#include "../tap.h"
#include "../unit/sandbox.h"

#include "../../exec/cgroup.h"
#include "../../exec/cgroup_file.h"
#include "scopefs/mem.h"

#include <sys/stat.h>
#include <unistd.h>

static void write_text(const char *name, const char *text)
{
    sandbox_write(name, text, strlen(text));
}

static char *in_sandbox(const char *name)
{
    return xasprintf("%s/%s", sandbox(), name);
}

static void is_file(const char *folder, const char *name, const char *expected, const char *what)
{
    cleanup_free char *text = cgroup_file_read(folder, name);
    is_string(text, expected, "%s", what);
}

/* A user's part of a system with version 2: the middle group may be written, the top one not. */
static void make_tree(void)
{
    write_text("v2/cgroup.controllers", "cpu memory pids\n");
    write_text("v2/cgroup.subtree_control", "cpu memory pids\n");
    write_text("v2/user/cgroup.controllers", "cpu memory pids\n");
    write_text("v2/user/cgroup.subtree_control", "memory pids\n");
    write_text("v2/user/cgroup.procs", "");
    write_text("v2/user/own/cgroup.controllers", "memory pids\n");
    write_text("v2/user/own/cgroup.subtree_control", "");
    write_text("v2/user/own/cgroup.procs", "");
}

static void test_parent(void)
{
    cleanup_free char *top = in_sandbox("v2");
    cleanup_free char *own = in_sandbox("v2/user/own");
    cleanup_free char *user = in_sandbox("v2/user");
    cleanup_free char *control = in_sandbox("v2/user/own/cgroup.subtree_control");
    cleanup_free char *parent = NULL;
    make_tree();
    /* Regular files take what is written; the kernel refuses it while the group has processes. */
    unlink(control);
    unsigned found =
        cgroup_find_v2_parent(top, own, CGROUP_MEMORY | CGROUP_PIDS | CGROUP_CPU_TIME, &parent);
    is_int(found, CGROUP_MEMORY | CGROUP_PIDS | CGROUP_CPU_TIME,
           "what is switched on above is found, and processor time, which every group counts");
    is_string(parent, user, "in the nearest group that has it");

    cleanup_free char *other = NULL;
    found = cgroup_find_v2_parent(top, own, CGROUP_MEMORY | CGROUP_CPU, &other);
    is_int(found, CGROUP_MEMORY | CGROUP_CPU, "what is only available is switched on");
    is_file(user, "cgroup.subtree_control", "+cpu", "by its name");

    cleanup_free char *none = NULL;
    is_int(cgroup_find_v2_parent(top, top, CGROUP_MEMORY, &none), 0,
           "a group whose processes may not be moved is none");
    ok(!none, "and no place");
}

static void test_v2_limits(void)
{
    static const char *const files[] = {"memory.max", "memory.swap.max", "pids.max", "cpu.max",
                                        "cgroup.procs"};
    const struct exec_limits limits = {.memory = 1 << 20, .processes = 5, .cpu_percent = 150};
    struct cgroup cgroup = {0};
    struct cgroup_usage usage;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        cleanup_free char *name = xasprintf("group/%s", files[i]);
        write_text(name, "");
    }
    write_text("group/memory.events", "low 0\nmax 7\noom 2\noom_kill 3\noom_group_kill 0\n");
    write_text("group/memory.peak", "4096\n");
    write_text("group/cpu.stat", "usage_usec 1234\nuser_usec 1\n");
    cleanup_free char *group = in_sandbox("group");
    cgroup_add(&cgroup, xstrdup(group), true,
               CGROUP_MEMORY | CGROUP_PIDS | CGROUP_CPU | CGROUP_CPU_TIME, &limits);
    is_int(cgroup.held, CGROUP_MEMORY | CGROUP_PIDS | CGROUP_CPU | CGROUP_CPU_TIME,
           "a group of version 2 holds everything");
    is_file(group, "memory.max", "1048576", "memory in bytes");
    is_file(group, "memory.swap.max", "0", "without swap");
    is_file(group, "pids.max", "7", "processes, with bwrap's two");
    is_file(group, "cpu.max", "150000 100000", "processor time by period");
    ok(cgroup_enter(&cgroup) == 0, "a process enters it");
    is_file(group, "cgroup.procs", "0", "as the kernel calls the writer");
    cgroup_read(&cgroup, &usage);
    is_int(usage.out_of_memory, 3, "killed processes are counted");
    is_int(usage.peak_memory, 4096, "the peak is read");
    is_int(usage.cpu_us, 1234, "and processor time");
    cgroup_close(&cgroup);
    is_int(cgroup.count, 0, "a closed group is gone");
}

static void test_missing(void)
{
    const struct exec_limits limits = {.memory = 1 << 20, .processes = 5};
    struct cgroup cgroup = {0};
    write_text("part/pids.max", "");
    cgroup_add(&cgroup, in_sandbox("part"), true, CGROUP_MEMORY | CGROUP_PIDS, &limits);
    is_int(cgroup.held, CGROUP_PIDS, "a limit that cannot be set is not held");
    cgroup_close(&cgroup);
    cgroup_add(&cgroup, in_sandbox("empty"), true, CGROUP_MEMORY, &limits);
    is_int(cgroup.count, 0, "a group that holds nothing is not used");
    cleanup_free char *empty = in_sandbox("empty");
    ok(access(empty, F_OK) < 0, "and not left behind");
    is_int(cgroup_needed(&limits), CGROUP_MEMORY | CGROUP_PIDS, "what limits need is told");
}

int main(void)
{
    test_parent();
    test_v2_limits();
    test_missing();
    return done_testing();
}
