#include "facts.h"

#include "scopefs/mem.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

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
    "/etc/resolv.conf",
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

static void look_at(struct host_path *found)
{
    struct stat status;
    /* A dangling symlink is as good as nothing. */
    if (stat(found->path, &status) < 0)
        return;
    found->target = link_target(found->path);
    if (found->target)
        found->kind = HOST_SYMLINK;
    else
        found->kind = S_ISDIR(status.st_mode) ? HOST_DIRECTORY : HOST_FILE;
}

void host_facts_gather(struct host_facts *facts)
{
    while (host_path_names[facts->path_count])
        facts->path_count++;
    facts->paths = xcalloc(facts->path_count, sizeof(*facts->paths));
    for (size_t i = 0; i < facts->path_count; i++) {
        facts->paths[i].path = host_path_names[i];
        look_at(&facts->paths[i]);
    }
}

void host_facts_free(struct host_facts *facts)
{
    for (size_t i = 0; i < facts->path_count; i++)
        free(facts->paths[i].target);
    free(facts->paths);
    facts->paths = NULL;
    facts->path_count = 0;
}
