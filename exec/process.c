#include "process.h"

#include "real_path.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define USUAL_FOLDERS "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin"

static char *find_in_folders(const char *name, const char *folders, const char *source)
{
    cleanup_free char *copy = xstrdup(folders);
    char *rest = NULL;
    for (char *folder = strtok_r(copy, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest)) {
        if (folder[0] != '/')
            continue;
        char *path = xasprintf("%s/%s", folder, name);
        bool is_agents =
            source && (real_path_lies_in(path, source) || real_path_lies_in(folder, source));
        if (!is_agents && access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

char *process_find_program(const char *name, const char *source)
{
    const char *folders = secure_getenv("PATH");
    char *found = folders ? find_in_folders(name, folders, source) : NULL;
    return found ? found : find_in_folders(name, USUAL_FOLDERS, source);
}

char *process_find_system_program(const char *name)
{
    return find_in_folders(name, USUAL_FOLDERS, NULL);
}

char *process_own_program(const char *name)
{
    cleanup_free char *beside = runtime_program(name);
    if (access(beside, X_OK) == 0)
        return steal_pointer(beside);
    return xasprintf("%s/%s", SCOPEFS_LIBEXECDIR, name);
}

void process_prepare_child(void)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become_program(const char *const *arguments, int stderr_fd)
{
    process_prepare_child();
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
        _exit(125);
    if (stderr_fd != STDERR_FILENO && dup2(stderr_fd, STDERR_FILENO) < 0)
        _exit(125);
    execv(arguments[0], (char *const *)arguments);
    _exit(errno == ENOENT ? 127 : 126);
}

/* Returns when the child has ended or something can be read from the other. */
static void wait_for_either(pid_t child, int interrupt_fd)
{
    cleanup_fd int child_fd = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd sources[] = {
        {.fd = child_fd, .events = POLLIN},
        {.fd = interrupt_fd, .events = POLLIN},
    };
    while (child_fd >= 0 && poll(sources, 2, -1) < 0 && errno == EINTR)
        ;
    if (sources[1].revents)
        kill(-child, SIGTERM);
}

int process_run(const char *const *arguments, int stderr_fd, int interrupt_fd, struct error **error)
{
    pid_t child = fork();
    if (child < 0)
        return error_set(error, errno, "cannot start %s", arguments[0]);
    if (child == 0)
        become_program(arguments, stderr_fd);
    setpgid(child, child); /* both do it, so that it is done whoever comes first */
    if (interrupt_fd >= 0)
        wait_for_either(child, interrupt_fd);
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(error, errno, "cannot wait for %s", arguments[0]);
    return process_exit_status(status);
}

int process_exit_status(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

struct process {
    pid_t id, parent;
    bool descends;
};

struct process_list {
    struct process *items;
    size_t count;
};

static void free_list(struct process_list *list)
{
    free(list->items);
}

/* Field 4 of /proc/PID/stat; the second, the name in parentheses, may itself hold anything. */
static pid_t parent_of(pid_t process)
{
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", process);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (length <= 0)
        return -1;
    text[length] = '\0';
    const char *behind_name = strrchr(text, ')');
    int parent;
    if (!behind_name || sscanf(behind_name + 1, " %*c %d", &parent) != 1)
        return -1;
    return parent;
}

static void list_processes(struct process_list *list)
{
    DIR *folder = opendir("/proc");
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char *end;
        long id = strtol(entry->d_name, &end, 10);
        if (*end || id <= 0)
            continue;
        list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
        list->items[list->count++] =
            (struct process){.id = (pid_t)id, .parent = parent_of((pid_t)id)};
    }
    closedir(folder);
}

static bool parent_descends(const struct process_list *list, pid_t parent, pid_t ancestor)
{
    if (parent == ancestor)
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].id == parent)
            return list->items[i].descends;
    return false;
}

/* Numbers wrap around, so a child may stand before its parent: repeat until nothing changes. */
static void mark_descendants(struct process_list *list, pid_t ancestor)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < list->count; i++) {
            struct process *process = &list->items[i];
            if (process->descends || !parent_descends(list, process->parent, ancestor))
                continue;
            process->descends = changed = true;
        }
    }
}

void process_signal_descendants(pid_t ancestor, int signal_number)
{
    __attribute__((cleanup(free_list))) struct process_list list = {0};
    list_processes(&list);
    mark_descendants(&list, ancestor);
    for (size_t i = 0; i < list.count; i++)
        /* Looked at again: its number may belong to another process by now. */
        if (list.items[i].descends && parent_of(list.items[i].id) == list.items[i].parent)
            kill(list.items[i].id, signal_number);
}

/* --- Children --- */

static void add_to_set(struct process_set *set, pid_t process)
{
    set->items = xreallocarray(set->items, set->count + 1, sizeof(*set->items));
    set->items[set->count++] = process;
}

/* One read where the kernel was built with CONFIG_PROC_CHILDREN. */
static bool read_children(const char *path, struct process_set *children)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    cleanup_free char *text = NULL;
    size_t size;
    if (fd < 0 || fd_read_file(fd, 1U << 20, &text, &size) < 0)
        return false;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        add_to_set(children, (pid_t)strtol(word, NULL, 10));
    return true;
}

static void find_children(pid_t parent, struct process_set *children)
{
    __attribute__((cleanup(free_list))) struct process_list list = {0};
    list_processes(&list);
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].parent == parent)
            add_to_set(children, list.items[i].id);
}

void process_list_children(struct process_set *children)
{
    if (waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD)
        return;
    if (!read_children("/proc/thread-self/children", children))
        find_children(getpid(), children);
}

void process_list_children_of(pid_t parent, struct process_set *children)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
    if (!read_children(path, children))
        find_children(parent, children);
}

static bool contains(const struct process_set *set, pid_t process)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i] == process)
            return true;
    return false;
}

void process_signal_new(pid_t ancestor, const struct process_set *spared,
                        struct process_set *signalled, int signal_number)
{
    __attribute__((cleanup(free_list))) struct process_list list = {0};
    list_processes(&list);
    /* Cut off, they and all below them descend from nobody. */
    for (size_t i = 0; i < list.count; i++)
        if (contains(spared, list.items[i].id))
            list.items[i].parent = 0;
    mark_descendants(&list, ancestor);
    for (size_t i = 0; i < list.count; i++) {
        const struct process *process = &list.items[i];
        if (!process->descends || contains(signalled, process->id) ||
            parent_of(process->id) != process->parent)
            continue;
        kill(process->id, signal_number);
        add_to_set(signalled, process->id);
    }
}

void process_end_children(const struct process_set *spared)
{
    bool ended;
    do {
        __attribute__((cleanup(process_set_free))) struct process_set children = {0};
        ended = false;
        process_list_children(&children);
        for (size_t i = 0; i < children.count; i++) {
            if (contains(spared, children.items[i]))
                continue;
            kill(children.items[i], SIGKILL);
            while (waitpid(children.items[i], NULL, 0) < 0 && errno == EINTR)
                ;
            ended = true;
        }
    } while (ended); /* an ended child may have left its own children to us */
}

void process_set_free(struct process_set *set)
{
    free(set->items);
    *set = (struct process_set){0};
}
