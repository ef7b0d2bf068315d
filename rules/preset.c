#include "preset.h"

#include "config_keys.h"
#include "paths.h"
#include "suggest.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SIZE    (1024 * 1024)
#define FOLDERS     3
#define MAX_SUGGEST 64

#ifdef SCOPEFS_LIBRARY
/* Whose program it runs in nobody knows: what lies beside that is not ours. */
static const char *shipped_folder(struct arena *arena)
{
    (void)arena;
    return SCOPEFS_PRESETDIR;
}
#else
/* The presets of an uninstalled build lie beside the program. */
static const char *shipped_folder(struct arena *arena)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
    if (length > 0 && (size_t)length < sizeof(self)) {
        while (length > 0 && self[length - 1] != '/')
            length--;
        char *beside = arena_format(arena, "%.*spresets", (int)length, self);
        struct stat found;
        if (stat(beside, &found) == 0 && S_ISDIR(found.st_mode))
            return beside;
    }
    return SCOPEFS_PRESETDIR;
}
#endif

/* In the order in which they are searched: the user's, the system's, the shipped one. */
static size_t preset_folders(struct arena *arena, const char **folders)
{
    size_t count = 0;
    const char *user = path_user_config(arena);
    if (user)
        folders[count++] = arena_format(arena, "%s/presets", user);
    folders[count++] = SCOPEFS_SYSCONFDIR "/scopefs/presets";
    folders[count++] = shipped_folder(arena);
    return count;
}

/* Adds the names of the presets in the folder to `words`. */
static size_t list_folder(struct arena *arena, const char *folder, const char **words, size_t count)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    while (directory && count < MAX_SUGGEST && (entry = readdir(directory))) {
        size_t length = strlen(entry->d_name);
        if (length <= 4 || strcmp(entry->d_name + length - 4, ".ini") != 0)
            continue;
        const char *name = arena_memdup0(arena, entry->d_name, length - 4);
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known = known || strcmp(words[i], name) == 0;
        if (!known && is_valid_name(name))
            words[count++] = name;
    }
    if (directory)
        closedir(directory);
    return count;
}

static int compare_words(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void report_unknown(struct loader *loader, const struct preset_use *use,
                           const char *const *folders, size_t folder_count)
{
    const char *words[MAX_SUGGEST];
    size_t count = 0;
    for (size_t i = 0; i < folder_count; i++)
        count = list_folder(loader->arena, folders[i], words, count);
    qsort(words, count, sizeof(*words), compare_words);
    cleanup_strbuf struct strbuf hint = {0};
    suggest_word(&hint, use->name, words, count);
    loader_report(loader, use->place, "unknown preset '%s'; %s", use->name, hint.bytes);
}

/* 0 with the contents, or -1 after a message. */
static int read_preset(struct loader *loader, const struct preset_use *use, const char **file,
                       char **contents, size_t *size)
{
    const char *folders[FOLDERS];
    size_t count = preset_folders(loader->arena, folders);
    for (size_t i = 0; i < count; i++) {
        *file = arena_format(loader->arena, "%s/%s.ini", folders[i], use->name);
        cleanup_fd int fd = open(*file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
            continue;
        if (fd >= 0 && fd_read_file(fd, MAX_SIZE, contents, size) == 0)
            return 0;
        loader_report(loader, use->place, "cannot read the preset %s: %s", *file, strerror(errno));
        return -1;
    }
    report_unknown(loader, use, folders, count);
    return -1;
}

static void apply_settings(struct loader *loader, struct preset *preset,
                           const struct ini_file *file)
{
    struct setting_target target = {.source = &preset->source, .preset = preset};
    for (const struct ini_section *section = file->sections; section; section = section->next) {
        const struct section_kind *kind =
            config_find_section(loader, preset_sections, file->name, section);
        if (kind && section->name)
            diagnostics_add(loader->diagnostics, SEVERITY_ERROR, file->name, section->line,
                            section->name_column,
                            "sections of a preset have no scope's name; write [%s]", kind->name);
        for (const struct ini_setting *setting = file->settings; kind && setting;
             setting = setting->next)
            if (setting->section == section)
                config_apply(loader, kind, &target, setting);
    }
}

static struct preset *find_loaded(const struct loader *loader, const char *name)
{
    for (struct preset *preset = loader->presets; preset; preset = preset->next)
        if (strcmp(preset->name, name) == 0)
            return preset;
    return NULL;
}

static void load(struct loader *loader, struct preset_use *use)
{
    struct preset *preset = find_loaded(loader, use->name);
    if (preset && preset->progress == PRESET_LOADING) {
        loader_report(loader, use->place, "the preset '%s' includes itself this way; take it out",
                      use->name);
        return;
    }
    if (!preset) {
        const char *name;
        cleanup_free char *contents = NULL;
        size_t size;
        if (read_preset(loader, use, &name, &contents, &size) < 0)
            return;
        preset = arena_alloc(loader->arena, sizeof(*preset));
        preset->name = use->name;
        preset->next = loader->presets;
        loader->presets = preset;
        rule_source_init(&preset->source);
        const struct ini_file *file =
            ini_read(loader->arena, name, contents, size, loader->diagnostics);
        preset->file = file->name;
        apply_settings(loader, preset, file);
        presets_load(loader, &preset->source);
        preset->progress = PRESET_LOADED;
    }
    use->preset = preset;
}

void presets_load(struct loader *loader, struct rule_source *source)
{
    for (struct preset_use *use = source->uses; use; use = use->next)
        load(loader, use);
}
