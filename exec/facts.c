#include "facts.h"

#include "plan.h"

#include "scopefs/env_name.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLVER       "/etc/resolv.conf"
#define ENV_FILE_LIMIT (1U << 20)
/* In bytes; the cache of libraries of a host with many has about this much. */
#define SMALL_FILE (128 * 1024)

/* Of /etc only single entries that programs of /usr cannot work without and that hold nothing of
 * the host's own: the rest of it is made up (see plan.c). */
const char *const host_path_names[] = {
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/pki/ca-trust/extracted",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    RESOLVER,
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    NULL,
};

static char *link_target(const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target));
    if (length <= 0 || (size_t)length == sizeof(target))
        return NULL;
    return xmemdup0(target, (size_t)length);
}

static enum host_path_kind kind_of(const char *path)
{
    struct stat status;
    /* A dangling symlink is as good as nothing. */
    if (stat(path, &status) < 0)
        return HOST_ABSENT;
    if (S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) && status.st_size <= SMALL_FILE)
        return HOST_SMALL_FILE;
    return S_ISDIR(status.st_mode) ? HOST_DIRECTORY : HOST_FILE;
}

/* Takes over both paths. */
static struct host_path *add_path(struct host_facts *facts, char *path, char *source)
{
    facts->paths = xreallocarray(facts->paths, facts->path_count + 1, sizeof(*facts->paths));
    struct host_path *found = &facts->paths[facts->path_count++];
    *found = (struct host_path){.path = path, .source = source, .target = link_target(source)};
    return found;
}

static void gather_host(struct host_facts *facts)
{
    for (const char *const *name = host_path_names; *name; name++) {
        struct host_path *found = add_path(facts, xstrdup(*name), xstrdup(*name));
        found->kind = kind_of(found->source);
        if (found->kind != HOST_ABSENT && found->target)
            found->kind = HOST_SYMLINK;
    }
}

/* --- Another root file system --- */

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* The entries of a folder of the image, except those that the sandbox has of its own. */
static int gather_folder(struct host_facts *facts, const char *image, const char *folder,
                         const char *const *left_out, struct error **error)
{
    cleanup_free char *place = xasprintf("%s%s", image, folder);
    cleanup_free char *target = *folder ? link_target(place) : NULL;
    struct dirent **entries = NULL;
    if (target)
        return error_set(
            error, 0,
            "rootfs %s: %s is a symlink, which would show %s of the host; an image has "
            "a folder there",
            image, place, target);
    int count = scandir(place, &entries, NULL, alphasort);
    if (count < 0 && (*folder == '\0' || errno != ENOENT))
        return error_set(error, errno, "rootfs %s: cannot list %s", image, place);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !is_one_of(name, left_out)) {
            struct host_path *found =
                add_path(facts, xasprintf("%s/%s", folder, name), xasprintf("%s/%s", place, name));
            /* A link's target is looked up inside. */
            found->kind = found->target ? HOST_SYMLINK : kind_of(found->source);
        }
        free(entries[i]);
    }
    free(entries);
    return 0;
}

static int gather_image(struct host_facts *facts, const char *image, struct error **error)
{
    static const char *const own_top[] = {"dev", "etc",  "home",      "lost+found", "media",
                                          "mnt", "proc", "root",      "run",        "sys",
                                          "tmp", "var",  "workspace", NULL};
    static const char *const own_etc[] = {"group",       "gshadow", "hosts",         "hostname",
                                          "mtab",        "passwd",  "nsswitch.conf", "shadow",
                                          "resolv.conf", NULL};
    static const char *const own_var[] = {"lock", "run", "tmp", NULL};
    facts->is_image = true;
    if (kind_of(image) != HOST_DIRECTORY)
        return error_set(error, errno, "rootfs = %s is no directory that can be entered", image);
    if (gather_folder(facts, image, "", own_top, error) < 0 ||
        gather_folder(facts, image, "/etc", own_etc, error) < 0 ||
        gather_folder(facts, image, "/var", own_var, error) < 0)
        return -1;
    struct host_path *resolver = add_path(facts, xstrdup(RESOLVER), xstrdup(RESOLVER));
    free(steal_pointer(resolver->target));
    resolver->kind = kind_of(RESOLVER);
    return 0;
}

/* --- Variables from files --- */

static int add_line(struct host_facts *facts, size_t setting, const char *file, unsigned number,
                    const char *line, struct error **error)
{
    const char *equals = strchr(line, '=');
    if (*line == '\0' || *line == '#')
        return 0;
    if (!equals || !env_name_is_valid(line, (size_t)(equals - line)))
        return error_set(error, 0, "%s:%u: no variable; write NAME=VALUE", file, number);
    facts->file_variables = xreallocarray(facts->file_variables, facts->file_variable_count + 1,
                                          sizeof(*facts->file_variables));
    facts->file_variables[facts->file_variable_count++] =
        (struct file_variable){.setting = setting,
                               .name = xmemdup0(line, (size_t)(equals - line)),
                               .value = xstrdup(equals + 1)};
    return 0;
}

static int read_env_file(struct host_facts *facts, size_t setting, const char *file,
                         struct error **error)
{
    cleanup_fd int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    cleanup_free char *contents = NULL;
    size_t size;
    unsigned number = 0;
    if (fd < 0 || fd_read_file(fd, ENV_FILE_LIMIT, &contents, &size) < 0)
        return error_set(error, errno, "env-file = %s: cannot read it", file);
    if (strlen(contents) != size)
        return error_set(error, 0, "env-file = %s: it holds a NUL byte", file);
    char *rest = contents;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (add_line(facts, setting, file, ++number, line, error) < 0)
            return -1;
    return 0;
}

/* --- What is shown beside the view --- */

/* Through a bind, files of the scope would be seen as no rule decides; and what an agent may change
 * there decides at the next command where the bind leads. */
static int check_bind(const struct exec_bind *bind, const char *source, struct error **error)
{
    const struct setting_place *place = &bind->place;
    cleanup_free char *path = realpath(bind->source, NULL);
    if (!path)
        return error_set(error, errno, "%s:%u:%u: ro-bind = %s", place->file, place->line,
                         place->column, bind->source);
    if (path_is_at_or_below(path, source) || path_is_at_or_below(source, path))
        return error_set(error, 0,
                         "%s:%u:%u: ro-bind = %s: it would show files of the scope's source, %s, "
                         "past the rules; bind another folder",
                         place->file, place->line, place->column, bind->source, source);
    return 0;
}

static int check_system(const struct host_facts *facts, const char *source, struct error **error)
{
    for (size_t i = 0; i < facts->path_count; i++) {
        const struct host_path *shown = &facts->paths[i];
        if (shown->kind == HOST_DIRECTORY && path_is_at_or_below(source, shown->source))
            return error_set(error, 0,
                             "the scope's source, %s, lies in %s, which commands see as a part of "
                             "the system, past the rules; move it elsewhere",
                             source, shown->source);
    }
    return 0;
}

static int check_shown(const struct host_facts *facts, const struct scope *scope,
                       struct error **error)
{
    cleanup_free char *resolved = realpath(scope->source, NULL);
    cleanup_free char *image = facts->is_image ? realpath(scope->exec.rootfs, NULL) : NULL;
    const char *source = resolved ? resolved : scope->source;
    if (image && path_is_at_or_below(image, source))
        return error_set(error, 0,
                         "rootfs = %s: it lies in the scope's source, %s, where an agent may "
                         "change it; move it elsewhere",
                         scope->exec.rootfs, source);
    for (size_t i = 0; i < scope->exec.bind_count; i++)
        if (check_bind(&scope->exec.binds[i], source, error) < 0)
            return -1;
    return check_system(facts, source, error);
}

int host_facts_gather(struct host_facts *facts, const struct scope *scope, struct error **error)
{
    facts->lists_keys = access("/proc/keys", F_OK) == 0;
    const struct exec_settings *settings = &scope->exec;
    if (!settings->rootfs)
        gather_host(facts);
    else if (gather_image(facts, settings->rootfs, error) < 0)
        return -1;
    for (size_t i = 0; i < settings->env_count; i++)
        if (!settings->env[i].name && read_env_file(facts, i, settings->env[i].value, error) < 0)
            return -1;
    return check_shown(facts, scope, error);
}

void host_facts_free(struct host_facts *facts)
{
    for (size_t i = 0; i < facts->path_count; i++) {
        free(facts->paths[i].path);
        free(facts->paths[i].source);
        free(facts->paths[i].target);
    }
    for (size_t i = 0; i < facts->file_variable_count; i++) {
        free(facts->file_variables[i].name);
        free(facts->file_variables[i].value);
    }
    free(facts->paths);
    free(facts->file_variables);
    *facts = (struct host_facts){0};
}
