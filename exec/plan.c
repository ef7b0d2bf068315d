#include "plan.h"

#include "cgroup.h"
#include "network_link.h"
#include "scopefs/env_name.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* Linux refuses host names of more than 64 bytes (HOST_NAME_MAX); DNS labels end at 63. */
#define HOSTNAME_LENGTH 63

static bool has_mount(const struct sandbox_plan *plan, const char *destination)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if (strcmp(plan->mounts[i].destination, destination) == 0)
            return true;
    return false;
}

/* bwrap would make missing parents by itself, but for nobody else to enter. */
static void add_parents(struct sandbox_plan *plan, const char *destination)
{
    const char *slash = strrchr(destination, '/');
    if (!slash || slash == destination)
        return;
    cleanup_free char *parent = xmemdup0(destination, (size_t)(slash - destination));
    if (!has_mount(plan, parent))
        sandbox_plan_add_mount(plan, SANDBOX_DIRECTORY, parent, NULL, 0755);
}

void sandbox_plan_add_mount(struct sandbox_plan *plan, enum sandbox_mount_kind kind,
                            const char *destination, const char *source, mode_t permissions)
{
    add_parents(plan, destination);
    plan->mounts = xreallocarray(plan->mounts, plan->mount_count + 1, sizeof(*plan->mounts));
    plan->mounts[plan->mount_count++] = (struct sandbox_mount){
        .kind = kind,
        .destination = xstrdup(destination),
        .source = source ? xstrdup(source) : NULL,
        .permissions = permissions,
    };
}

void sandbox_plan_set_variable(struct sandbox_plan *plan, const char *name, const char *value)
{
    for (size_t i = 0; i < plan->variable_count; i++) {
        struct sandbox_variable *known = &plan->environment[i];
        if (strcmp(known->name, name) != 0)
            continue;
        free(known->value);
        known->value = xstrdup(value);
        return;
    }
    plan->environment =
        xreallocarray(plan->environment, plan->variable_count + 1, sizeof(*plan->environment));
    plan->environment[plan->variable_count++] =
        (struct sandbox_variable){.name = xstrdup(name), .value = xstrdup(value)};
}

/* --- The system: /usr and what belongs to it --- */

/* A link like /bin -> usr/bin or /etc/localtime -> /usr/share/...: it means the same inside. */
static bool points_into_usr(const char *target)
{
    if (target[0] == '/')
        target++;
    while (strncmp(target, "../", 3) == 0)
        target += 3;
    return strncmp(target, "usr/", 4) == 0;
}

static void add_host_path(struct sandbox_plan *plan, const struct host_path *found, bool is_image)
{
    if (found->kind == HOST_ABSENT)
        return;
    /* Without a network a resolver's address only tells the agent about the host; with one, it may
     * change while a command runs. */
    bool is_resolver = strcmp(found->path, "/etc/resolv.conf") == 0;
    if (is_resolver && !plan->share_network)
        return;
    if (found->kind == HOST_SYMLINK && (is_image || points_into_usr(found->target)))
        sandbox_plan_add_mount(plan, SANDBOX_SYMLINK, found->path, found->target, 0);
    else if (found->kind == HOST_SMALL_FILE && !is_resolver)
        sandbox_plan_add_mount(plan, SANDBOX_COPY, found->path, found->source, 0444);
    else
        sandbox_plan_add_mount(plan, SANDBOX_READ_ONLY_BIND, found->path, found->source, 0);
}

static void add_made_up_file(struct sandbox_plan *plan, const char *path, const char *contents)
{
    sandbox_plan_add_mount(plan, SANDBOX_FILE, path, contents, 0444);
}

/* Names for the ids that show up inside: the command's own, root for what its owner is asked by
 * name, and the overflow id (65534), as which every id without a mapping appears. */
static void add_accounts(struct sandbox_plan *plan)
{
    cleanup_free char *passwd =
        xasprintf("root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
                  "%s:x:%u:%u:%s:%s:/bin/sh\n"
                  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
                  SANDBOX_USER, plan->uid, plan->gid, SANDBOX_USER, SANDBOX_HOME);
    cleanup_free char *group = xasprintf("root:x:0:\n"
                                         "%s:x:%u:\n"
                                         "nogroup:x:65534:\n",
                                         SANDBOX_USER, plan->gid);
    add_made_up_file(plan, "/etc/passwd", passwd);
    add_made_up_file(plan, "/etc/group", group);
}

static void add_name_services(struct sandbox_plan *plan)
{
    cleanup_free char *hosts = xasprintf("127.0.0.1 localhost %s\n"
                                         "::1 localhost ip6-localhost ip6-loopback\n",
                                         plan->hostname);
    cleanup_free char *services = xasprintf("passwd: files\n"
                                            "group: files\n"
                                            "shadow: files\n"
                                            "hosts: files%s\n"
                                            "networks: files\n"
                                            "protocols: files\n"
                                            "services: files\n",
                                            plan->share_network ? " dns" : "");
    add_made_up_file(plan, "/etc/hosts", hosts);
    add_made_up_file(plan, "/etc/nsswitch.conf", services);
}

static void add_temporary(struct sandbox_plan *plan, const char *place, mode_t permissions,
                          const struct exec_limits *limits)
{
    sandbox_plan_add_mount(plan, SANDBOX_TMPFS, place, NULL, permissions);
    plan->mounts[plan->mount_count - 1].size = limits->tmp_size;
}

static void add_system(struct sandbox_plan *plan, const struct host_facts *facts)
{
    for (size_t i = 0; i < facts->path_count; i++)
        add_host_path(plan, &facts->paths[i], facts->is_image);
    add_accounts(plan);
    add_name_services(plan);
    sandbox_plan_add_mount(plan, SANDBOX_SYMLINK, "/etc/mtab", "../proc/self/mounts", 0);
}

static void add_mounts(struct sandbox_plan *plan, const struct exec_settings *settings,
                       const struct host_facts *facts)
{
    const struct exec_limits *limits = &settings->limits;
    add_system(plan, facts);
    sandbox_plan_add_mount(plan, SANDBOX_PROC, "/proc", NULL, 0);
    /* The names of the user's keys, which are of no namespace. */
    if (facts->lists_keys)
        sandbox_plan_add_mount(plan, SANDBOX_READ_ONLY_BIND, "/proc/keys", "/dev/null", 0);
    sandbox_plan_add_mount(plan, SANDBOX_DEV, "/dev", NULL, 0);
    add_temporary(plan, "/dev/shm", 01777, limits);
    add_temporary(plan, "/tmp", 01777, limits);
    add_temporary(plan, "/var/tmp", 01777, limits);
    add_temporary(plan, "/run", 0755, limits);
    add_temporary(plan, SANDBOX_HOME, 0700, limits);
    for (size_t i = 0; i < settings->bind_count; i++)
        sandbox_plan_add_mount(plan, SANDBOX_READ_ONLY_BIND, settings->binds[i].destination,
                               settings->binds[i].source, 0);
    sandbox_plan_add_mount(plan, SANDBOX_VIEW, plan->workspace, NULL, 0);
}

/* --- Limits --- */

static void add_rlimit(struct sandbox_plan *plan, int resource, unsigned long long value)
{
    if (value)
        plan->rlimits[plan->rlimit_count++] =
            (struct sandbox_rlimit){.resource = resource, .value = value};
}

void sandbox_plan_hold_processes(struct sandbox_plan *plan, const struct exec_limits *limits,
                                 unsigned missing)
{
    if (missing & CGROUP_MEMORY)
        add_rlimit(plan, RLIMIT_AS, limits->memory);
    /* Counted in the sandbox's user namespace since Linux 5.14; its first process is bwrap's. */
    if ((missing & CGROUP_PIDS) && limits->processes)
        add_rlimit(plan, RLIMIT_NPROC, limits->processes + 1);
}

/* --- The environment --- */

static const char *host_variable(const struct host_facts *facts, const char *name)
{
    size_t length = strlen(name);
    for (char *const *entry = facts->environment; entry && *entry; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

static bool is_forced(const struct exec_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->env_count; i++)
        if (settings->env[i].forced && settings->env[i].name &&
            strcmp(settings->env[i].name, name) == 0)
            return true;
    return false;
}

int sandbox_plan_check_variable(const struct exec_settings *settings, const char *assignment,
                                size_t *length, struct error **error)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return error_set(error, 0, "--env %s: write it as NAME=VALUE", assignment);
    *length = (size_t)(equals - assignment);
    cleanup_free char *name = xmemdup0(assignment, *length);
    if (env_name_is_unsafe(name) && !is_forced(settings, name))
        return error_set(error, 0,
                         "--env %s: it makes programs run other code; if that is meant, let it "
                         "through in the scope: env-force = %s",
                         name, name);
    return 0;
}

static int add_requested_variable(struct sandbox_plan *plan, const struct exec_settings *settings,
                                  const char *assignment, struct error **error)
{
    size_t length = 0;
    if (sandbox_plan_check_variable(settings, assignment, &length, error) < 0)
        return -1;
    cleanup_free char *name = xmemdup0(assignment, length);
    sandbox_plan_set_variable(plan, name, assignment + length + 1);
    return 0;
}

static void add_setting(struct sandbox_plan *plan, const struct env_setting *setting,
                        const struct host_facts *facts)
{
    const char *value = setting->value ? setting->value : host_variable(facts, setting->name);
    if (value)
        sandbox_plan_set_variable(plan, setting->name, value);
}

static bool is_named(const struct sandbox_plan *plan, const char *host)
{
    struct network_pattern pattern;
    struct network_host parsed;
    size_t offset;
    const char *message;
    for (size_t i = 0; i < plan->network_pattern_count; i++)
        if (network_pattern_parse(plan->network_patterns[i], &pattern, &offset, &message) &&
            pattern.kind == NETWORK_ONE_HOST && network_host_parse(host, &parsed) &&
            network_host_equal(&pattern.host, &parsed))
            return true;
    return false;
}

/* What means the sandbox itself: all names of the loopback, unless the host's is to be reached. */
static char *local_hosts(const struct sandbox_plan *plan)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    struct strbuf list = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!is_named(plan, names[i]))
            strbuf_add_format(&list, "%s%s", list.length ? "," : "", names[i]);
    return strbuf_steal(&list);
}

/* By both spellings: some programs read only the one, and some only the other. */
static void add_proxy(struct sandbox_plan *plan)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy",
                                        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"};
    cleanup_free char *proxy = xasprintf("http://127.0.0.1:%d", LINK_PROXY_PORT);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        sandbox_plan_set_variable(plan, names[i], proxy);
    cleanup_free char *local = local_hosts(plan);
    sandbox_plan_set_variable(plan, "no_proxy", local);
    sandbox_plan_set_variable(plan, "NO_PROXY", local);
}

static int add_environment(struct sandbox_plan *plan, const struct sandbox_request *request,
                           const struct host_facts *facts, struct error **error)
{
    const char *terminal = host_variable(facts, "TERM");
    sandbox_plan_set_variable(plan, "PATH", DEFAULT_PATH);
    sandbox_plan_set_variable(plan, "HOME", SANDBOX_HOME);
    sandbox_plan_set_variable(plan, "USER", SANDBOX_USER);
    sandbox_plan_set_variable(plan, "SHELL", "/bin/sh");
    sandbox_plan_set_variable(plan, "LANG", "C.UTF-8");
    sandbox_plan_set_variable(plan, "TERM", terminal ? terminal : "dumb");

    const struct exec_settings *settings = &request->scope->exec;
    if (settings->network_pattern_count)
        add_proxy(plan);
    for (size_t i = 0; i < settings->env_count; i++) {
        if (settings->env[i].name)
            add_setting(plan, &settings->env[i], facts);
        else
            for (size_t at = 0; at < facts->file_variable_count; at++)
                if (facts->file_variables[at].setting == i)
                    sandbox_plan_set_variable(plan, facts->file_variables[at].name,
                                              facts->file_variables[at].value);
    }
    for (const char *const *entry = request->environment; entry && *entry; entry++)
        if (add_requested_variable(plan, settings, *entry, error) < 0)
            return -1;
    return 0;
}

/* --- The rest --- */

static char *hostname_for(const char *scope_name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    char *hostname = xmemdup0(scope_name, strnlen(scope_name, HOSTNAME_LENGTH));
    for (char *at = hostname; *at; at++)
        if (!strchr(allowed, *at))
            *at = '-';
    return hostname;
}

bool path_is_at_or_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool has_parent_component(const char *path)
{
    for (const char *at = path; (at = strstr(at, "..")); at += 2)
        if ((at == path || at[-1] == '/') && (at[2] == '\0' || at[2] == '/'))
            return true;
    return false;
}

char *sandbox_plan_workdir(const char *workspace, const char *wanted, struct error **error)
{
    if (!wanted || !*wanted)
        return xstrdup(workspace);
    if (has_parent_component(wanted))
        error_set(error, 0, "--workdir %s: write it without '..'", wanted);
    else if (wanted[0] != '/')
        return xasprintf("%s/%s", workspace, wanted);
    else if (path_is_at_or_below(wanted, workspace))
        return xstrdup(wanted);
    else
        error_set(error, 0, "--workdir %s: it must be relative, or lie below %s", wanted,
                  workspace);
    return NULL;
}

int sandbox_plan_make(struct sandbox_plan *plan, const struct sandbox_request *request,
                      const struct host_facts *facts, struct error **error)
{
    const struct exec_settings *settings = &request->scope->exec;
    plan->uid = facts->uid;
    plan->gid = facts->gid;
    plan->share_network = settings->network == NETWORK_HOST;
    plan->allow_tracing = settings->ptrace;
    plan->network_patterns = settings->network_patterns;
    plan->network_pattern_count = settings->network_pattern_count;
    plan->timeout_ms = request->has_timeout ? request->timeout_ms : settings->timeout_ms;
    plan->kill_after_ms = settings->kill_after_ms;
    plan->workspace = settings->workspace ? settings->workspace : SANDBOX_WORKSPACE;
    plan->command = request->command;
    add_rlimit(plan, RLIMIT_FSIZE, settings->limits.file_size);
    add_rlimit(plan, RLIMIT_NOFILE, settings->limits.open_files);
    plan->hostname = hostname_for(request->scope->name);
    add_mounts(plan, settings, facts);
    if (add_environment(plan, request, facts, error) < 0)
        return -1;
    plan->workdir = sandbox_plan_workdir(plan->workspace, request->workdir, error);
    if (!plan->workdir)
        return -1;
    return sandbox_plan_check(plan, error);
}

void sandbox_plan_set_view(struct sandbox_plan *plan, const char *path)
{
    struct sandbox_mount *view = &plan->mounts[plan->mount_count - 1];
    free(view->source);
    view->source = xstrdup(path);
}

/* --- The check --- */

/* Into which an agent may have put a link before, or could just now, while a sandbox is made. A
 * tmpfs is as new as the sandbox: no process of an agent's has seen it. */
static bool agent_could_write(const struct sandbox_mount *mount)
{
    return mount->kind == SANDBOX_DEV || mount->kind == SANDBOX_VIEW;
}

/* A new tmpfs in a new /dev: no agent's process has seen either of them before. */
static bool is_shared_memory(const struct sandbox_mount *mount)
{
    return mount->kind == SANDBOX_TMPFS && strcmp(mount->destination, "/dev/shm") == 0;
}

static int check_pair(const struct sandbox_mount *earlier, const struct sandbox_mount *later,
                      struct error **error)
{
    if (strcmp(earlier->destination, later->destination) == 0)
        return error_set(error, 0, "two mounts of the sandbox share the place %s",
                         later->destination);
    if (path_is_at_or_below(later->destination, earlier->destination) &&
        agent_could_write(earlier) && !is_shared_memory(later))
        return error_set(error, 0, "%s would be mounted below %s, which the agent can write",
                         later->destination, earlier->destination);
    if (path_is_at_or_below(earlier->destination, later->destination))
        return error_set(error, 0, "%s would be mounted over %s", later->destination,
                         earlier->destination);
    return 0;
}

static int check_place(const struct sandbox_mount *mount, struct error **error)
{
    const char *place = mount->destination;
    if (place[0] != '/' || place[1] == '\0' || strstr(place, "//") ||
        place[strlen(place) - 1] == '/' || has_parent_component(place))
        return error_set(error, 0, "'%s' is no place for a mount", place);
    return 0;
}

int sandbox_plan_check(const struct sandbox_plan *plan, struct error **error)
{
    if (plan->uid == 0)
        return error_set(error, 0, "a command never runs as root");
    if (plan->mount_count == 0 || plan->mounts[plan->mount_count - 1].kind != SANDBOX_VIEW)
        return error_set(error, 0, "the view is not the last mount of the sandbox");
    for (size_t later = 0; later < plan->mount_count; later++) {
        if (check_place(&plan->mounts[later], error) < 0)
            return -1;
        for (size_t earlier = 0; earlier < later; earlier++)
            if (check_pair(&plan->mounts[earlier], &plan->mounts[later], error) < 0)
                return -1;
    }
    return 0;
}

void sandbox_plan_free(struct sandbox_plan *plan)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        free(plan->mounts[i].destination);
        free(plan->mounts[i].source);
    }
    for (size_t i = 0; i < plan->variable_count; i++) {
        free(plan->environment[i].name);
        free(plan->environment[i].value);
    }
    free(plan->mounts);
    free(plan->environment);
    free(plan->hostname);
    free(plan->workdir);
    *plan = (struct sandbox_plan){0};
}
