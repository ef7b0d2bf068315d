#include "sandbox.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/scopefs-unit-XXXXXX";
static bool made;

static _Noreturn void give_up(const char *what)
{
    printf("Bail out! cannot %s\n", what);
    exit(99);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static char *make_folder(const char *under, const char *name)
{
    char *path = xasprintf("%s/%s", under, name);
    if (mkdir(path, 0700) < 0)
        give_up("make a folder");
    return path;
}

/* Unit tests lie in BUILD/t/unit, the shipped presets in BUILD/presets. */
static char *shipped_presets(void)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length < 0)
        give_up("read /proc/self/exe");
    self[length] = '\0';
    for (int i = 0; i < 3; i++)
        *strrchr(self, '/') = '\0';
    return xasprintf("%s/presets", self);
}

/* One by one, so that a test can write others beside them. */
static void link_presets(const char *presets)
{
    cleanup_free char *shipped = shipped_presets();
    DIR *directory = opendir(shipped);
    if (!directory)
        give_up("find the shipped presets");
    for (const struct dirent *entry; (entry = readdir(directory));) {
        cleanup_free char *from = xasprintf("%s/%s", shipped, entry->d_name);
        cleanup_free char *to = xasprintf("%s/%s", presets, entry->d_name);
        if (entry->d_name[0] != '.' && symlink(from, to) < 0)
            give_up("link a preset");
    }
    closedir(directory);
}

static void make_user_config(void)
{
    cleanup_free char *config = make_folder(folder, "config");
    cleanup_free char *scopefs = make_folder(config, "scopefs");
    cleanup_free char *presets = make_folder(scopefs, "presets");
    link_presets(presets);
    setenv("XDG_CONFIG_HOME", config, 1);
}

const char *sandbox(void)
{
    if (!made) {
        if (!mkdtemp(folder))
            give_up("make a work folder");
        made = true;
        atexit(remove_folder);
        make_user_config();
    }
    return folder;
}

void sandbox_write(const char *name, const void *bytes, size_t size)
{
    cleanup_free char *path = xasprintf("%s/%s", sandbox(), name);
    for (char *slash = strchr(path + strlen(sandbox()) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || fd_write_all(fd, bytes, size) < 0)
        give_up("write a file");
}

struct config *load_bytes(const void *bytes, size_t size, struct diagnostics *diagnostics)
{
    sandbox_write("scopefs.ini", bytes, size);
    cleanup_free char *path = xasprintf("%s/scopefs.ini", sandbox());
    return config_load(path, diagnostics);
}

struct config *load_text(const char *text, struct diagnostics *diagnostics)
{
    return load_bytes(text, strlen(text), diagnostics);
}

struct config *must_load(const char *text)
{
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    struct config *config = load_text(text, &diagnostics);
    if (config)
        return config;
    fputs(text, stderr);
    diagnostics_print(&diagnostics, stderr);
    give_up("load a configuration");
}

char *diagnostics_text(const struct diagnostics *diagnostics)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    diagnostics_print(diagnostics, stream);
    fclose(stream);

    cleanup_free char *prefix = xasprintf("%s/", sandbox());
    struct strbuf shortened = {0};
    const char *at = text;
    for (const char *found; (found = strstr(at, prefix)); at = found + strlen(prefix))
        strbuf_add(&shortened, at, (size_t)(found - at));
    strbuf_add_text(&shortened, at);
    free(text);
    return strbuf_steal(&shortened);
}

const char *level_of(const struct config *config, const char *scope, const char *path)
{
    const struct scope *found = config_scope(config, scope, NULL);
    const struct state *state = found ? policy_find(found->policy, path, strlen(path)) : NULL;
    return state ? level_name(state_level(state)) : "invalid";
}
