#include "bwrap_arguments.h"

#include "scopefs/mem.h"
#include "seccomp_filter.h"

#include <string.h>

static void add(struct strbuf *arguments, const char *argument)
{
    strbuf_add(arguments, argument, strlen(argument) + 1);
}

static void add_number(struct strbuf *arguments, int number)
{
    strbuf_add_format(arguments, "%d", number);
    strbuf_add(arguments, "", 1);
}

static void add_permissions(struct strbuf *arguments, mode_t permissions)
{
    add(arguments, "--perms");
    strbuf_add_format(arguments, "%04o", (unsigned)permissions);
    strbuf_add(arguments, "", 1);
}

/* Each namespace by its own option: --unshare-all leaves out what the host does not have. */
void bwrap_arguments_add_isolation(struct strbuf *arguments, bool share_network)
{
    static const char *const always[] = {
        "--unshare-user",   "--unshare-pid",    "--unshare-ipc", "--unshare-uts",
        "--unshare-cgroup", "--disable-userns", "--new-session", "--die-with-parent",
    };
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        add(arguments, always[i]);
    if (!share_network)
        add(arguments, "--unshare-net");
    add(arguments, "--cap-drop");
    add(arguments, "ALL");
}

static int add_file(struct strbuf *arguments, const struct sandbox_mount *mount,
                    descriptor_giver *give, void *context, struct error **error)
{
    bool is_copy = mount->kind == SANDBOX_COPY;
    const struct given given = {.path = is_copy ? mount->source : NULL,
                                .bytes = mount->source,
                                .size = strlen(mount->source)};
    int fd = give(context, &given, error);
    if (fd < 0)
        return -1;
    add_permissions(arguments, mount->permissions);
    add(arguments, "--file");
    add_number(arguments, fd);
    add(arguments, mount->destination);
    return 0;
}

static int add_mount(struct strbuf *arguments, const struct sandbox_mount *mount,
                     descriptor_giver *give, void *context, struct error **error)
{
    switch (mount->kind) {
    case SANDBOX_FILE:
    case SANDBOX_COPY:
        return add_file(arguments, mount, give, context, error);
    case SANDBOX_READ_ONLY_BIND:
        add(arguments, "--ro-bind");
        add(arguments, mount->source);
        break;
    case SANDBOX_SYMLINK:
        add(arguments, "--symlink");
        add(arguments, mount->source);
        break;
    case SANDBOX_DIRECTORY:
        add_permissions(arguments, mount->permissions);
        add(arguments, "--dir");
        break;
    case SANDBOX_TMPFS:
        add_permissions(arguments, mount->permissions);
        if (mount->size) {
            add(arguments, "--size");
            strbuf_add_format(arguments, "%llu", mount->size);
            strbuf_add(arguments, "", 1);
        }
        add(arguments, "--tmpfs");
        break;
    case SANDBOX_PROC:
        add(arguments, "--proc");
        break;
    case SANDBOX_DEV:
        add(arguments, "--dev");
        break;
    case SANDBOX_VIEW:
        add(arguments, "--bind");
        add(arguments, mount->source);
        break;
    }
    add(arguments, mount->destination);
    return 0;
}

static int add_seccomp(struct strbuf *arguments, const struct sandbox_plan *plan,
                       descriptor_giver *give, void *context, struct error **error)
{
    cleanup_strbuf struct strbuf program = {0};
    if (seccomp_filter_make(&program, plan->allow_tracing, error) < 0)
        return -1;
    const struct given given = {.bytes = program.bytes, .size = program.length};
    int fd = give(context, &given, error);
    if (fd < 0)
        return -1;
    add(arguments, "--seccomp");
    add_number(arguments, fd);
    return 0;
}

int bwrap_arguments_add_plan(struct strbuf *arguments, const struct sandbox_plan *plan,
                             descriptor_giver *give, void *context, struct error **error)
{
    bwrap_arguments_add_isolation(arguments, plan->share_network);
    add(arguments, "--hostname");
    add(arguments, plan->hostname);
    if (add_seccomp(arguments, plan, give, context, error) < 0)
        return -1;
    add(arguments, "--clearenv");
    for (size_t i = 0; i < plan->variable_count; i++) {
        add(arguments, "--setenv");
        add(arguments, plan->environment[i].name);
        add(arguments, plan->environment[i].value);
    }
    for (size_t i = 0; i < plan->mount_count; i++)
        if (add_mount(arguments, &plan->mounts[i], give, context, error) < 0)
            return -1;
    /* What is left of the root and of /dev is bwrap's own tmpfs, and not the agent's to fill. */
    add(arguments, "--remount-ro");
    add(arguments, "/");
    add(arguments, "--remount-ro");
    add(arguments, "/dev");
    add(arguments, "--chdir");
    add(arguments, "/");
    return 0;
}

static void add_descriptor(struct strbuf *arguments, const char *option, int fd)
{
    if (fd < 0)
        return;
    strbuf_add_format(arguments, "%s=%d", option, fd);
    strbuf_add(arguments, "", 1);
}

void bwrap_arguments_add_command(struct strbuf *arguments, const struct sandbox_plan *plan,
                                 const struct stage2_descriptors *descriptors,
                                 const struct view_mount *view)
{
    /* By descriptor, so that stage2 need not lie in a folder that the command's user can enter. */
    strbuf_add_format(arguments, "/proc/self/fd/%d", descriptors->stage2);
    strbuf_add(arguments, "", 1);
    add_descriptor(arguments, "--channel", descriptors->channel);
    add_descriptor(arguments, "--network", descriptors->network);
    add_descriptor(arguments, "--program", descriptors->program);
    if (descriptors->wait)
        add(arguments, "--wait");
    if (descriptors->is_session)
        add(arguments, descriptors->is_terminal ? "--terminal" : "--session");
    if (plan->share_network)
        add(arguments, "--keep-apart");
    if (view->is_mounted) {
        strbuf_add_format(arguments, "--device=%u:%u", view->device_major, view->device_minor);
        strbuf_add(arguments, "", 1);
    }
    for (size_t i = 0; i < plan->rlimit_count; i++) {
        strbuf_add_format(arguments, "--limit=%d:%llu", plan->rlimits[i].resource,
                          plan->rlimits[i].value);
        strbuf_add(arguments, "", 1);
    }
    strbuf_add_format(arguments, "--workspace=%s", plan->workspace);
    strbuf_add(arguments, "", 1);
    strbuf_add_format(arguments, "--workdir=%s", plan->workdir);
    strbuf_add(arguments, "", 1);
    add(arguments, "--");
    for (char *const *word = plan->command; *word; word++)
        add(arguments, *word);
}

const char **bwrap_arguments_split(const struct strbuf *arguments)
{
    size_t count = 0;
    const char *end = arguments->bytes + arguments->length;
    for (const char *word = arguments->bytes; word < end; word += strlen(word) + 1)
        count++;
    const char **words = xcalloc(count + 1, sizeof(*words));
    count = 0;
    for (const char *word = arguments->bytes; word < end; word += strlen(word) + 1)
        words[count++] = word;
    return words;
}
